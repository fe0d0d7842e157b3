/* SPDX-License-Identifier: Apache-2.0 */
/* Runs independent, numbered jobs in threads. */
#pragma once

#include "base/err.h"

struct delta_jobs {
    unsigned n;
    void *ctx;
    int (*job)(void *ctx, unsigned worker, unsigned i, struct hf_err *err);
};

enum { DELTA_WORKERS_MAX = 64 };

struct hf_delta_create_params;

/* Returns params->threads, or the number of processors if that is 0 or params is NULL; DELTA_WORKERS_MAX at most. */
unsigned delta_workers(const struct hf_delta_create_params *params);

/* Runs jobs in at most `workers` threads, one of them the caller's. After a failure no further job starts; returns the
 * error of the lowest failed number. */
HF_MUST_USE int delta_jobs_run(const struct delta_jobs *jobs, unsigned workers, struct hf_err *err);
