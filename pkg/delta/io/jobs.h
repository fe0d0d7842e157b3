/* SPDX-License-Identifier: Apache-2.0 */
/* Run independent, numbered jobs in several threads. Creating only. */
#pragma once

#include "base/err.h"

struct delta_jobs {
    unsigned n;
    void *ctx;
    /* Data of one `worker` number needs no lock. */
    int (*job)(void *ctx, unsigned worker, unsigned i, struct hf_err *err);
};

enum { DELTA_WORKERS_MAX = 64 };

struct hf_delta_create_params;

/* params->threads, or the processors if 0 or NULL; at most DELTA_WORKERS_MAX. */
unsigned delta_workers(const struct hf_delta_create_params *params);

/* Also in the caller's thread. After a failure no job starts; returns the error of the lowest failed number. */
HF_MUST_USE int delta_jobs_run(const struct delta_jobs *jobs, unsigned workers, struct hf_err *err);
