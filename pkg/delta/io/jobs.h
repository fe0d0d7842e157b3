/* SPDX-License-Identifier: Apache-2.0 */
/* Runs independent, numbered jobs in threads. Creating only. */
#pragma once

#include "base/err.h"

struct delta_jobs {
    unsigned n;
    void *ctx;
    /* A `worker`'s own data needs no lock. */
    int (*job)(void *ctx, unsigned worker, unsigned i, struct hf_err *err);
};

enum { DELTA_WORKERS_MAX = 64 };

struct hf_delta_create_params;

/* params->threads; 0, NULL: processors; DELTA_WORKERS_MAX at most. */
unsigned delta_workers(const struct hf_delta_create_params *params);

/* Also in the caller's thread. After a failure no job starts; returns the lowest failed number's error. */
HF_MUST_USE int delta_jobs_run(const struct delta_jobs *jobs, unsigned workers, struct hf_err *err);
