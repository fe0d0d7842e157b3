/* SPDX-License-Identifier: Apache-2.0 */
/* steer/job.h - one piece of blocking work of a machine. The owner's operation embeds it, with the work's parameters and
 * results beside it.
 *
 * A machine has at most one job in progress, and so has the engine if it says so (hf_steer_engine.one_job). A job holds a
 * reference of the engine. Threads: loop thread only, except `run` and hf_steer_job_is_cancelled(). */
#pragma once

#include <stdatomic.h>

#include "loop/sched.h"
#include "steer/machine.h"

struct hf_steer_operation {
    int (*run)(struct hf_steer_job *job); /* on a worker; its result goes to job->r */
    /* No worker has run the job: sets the error of the operation from `r` and the text. job->r is set. */
    void (*lost)(struct hf_steer_job *job, int r, const char *what);
    void (*then)(struct hf_steer_job *job); /* at the end, however it came; not called if the engine is closing */
    void (*free)(struct hf_steer_job *job); /* frees the operation */
};

struct hf_steer_job {
    struct hf_job job;
    const struct hf_steer_operation *operation;
    struct hf_steer_machine *machine;
    int r;
    atomic_bool cancel;
};

void hf_steer_job_init(struct hf_steer_job *job, const struct hf_steer_operation *operation,
                       struct hf_steer_machine *machine);
/* Passes the job to a worker. If that fails, the job ends before this function returns. */
void hf_steer_job_submit(struct hf_steer_job *job);
/* Asks `run` to end soon, if it looks. Ignores NULL. */
void hf_steer_job_cancel(struct hf_steer_job *job);
bool hf_steer_job_is_cancelled(const struct hf_steer_job *job);
