/* SPDX-License-Identifier: Apache-2.0 */
/* delta/io/jobs.h - run independent, numbered jobs in several threads. Used only to create deltas. */
#pragma once

#include "base/err.h"

struct delta_jobs {
    unsigned n;
    void *ctx;
    /* Runs job i. `worker` is the number of the thread that runs the job. Data that belongs to one worker number needs
     * no lock. */
    int (*job)(void *ctx, unsigned worker, unsigned i, struct hf_err *err);
};

enum { DELTA_WORKERS_MAX = 64 };

struct hf_delta_create_params;

/* Returns params->threads, or the number of processors if params->threads is 0 or `params` is NULL; at most
 * DELTA_WORKERS_MAX. */
unsigned delta_workers(const struct hf_delta_create_params *params);

/* Runs all jobs in the caller's thread and in at most `workers` - 1 other threads. After a failure no further job
 * starts. Returns the error of the failed job with the lowest number. */
HF_MUST_USE int delta_jobs_run(const struct delta_jobs *jobs, unsigned workers, struct hf_err *err);
