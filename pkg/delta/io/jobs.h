/* delta/io/jobs.h - independent pieces of work by their number, in threads. Creating only. */
#pragma once

#include "base/err.h"

struct delta_jobs {
    unsigned n;
    void *ctx;
    /* Job i; `worker` says which thread does it: what belongs to one worker is never touched by two. */
    int (*job)(void *ctx, unsigned worker, unsigned i, struct hf_err *err);
};

enum { DELTA_WORKERS_MAX = 64 };

struct hf_delta_create_params;

/* As many as were asked for, or one per processor; params may be NULL. */
unsigned delta_workers(const struct hf_delta_create_params *params);

/* All jobs, in the caller's thread and at most `workers` - 1 others; after a failure those not begun are left out. The
 * error is that of the failed job with the lowest number. */
HF_MUST_USE int delta_jobs_run(const struct delta_jobs *jobs, unsigned workers, struct hf_err *err);
