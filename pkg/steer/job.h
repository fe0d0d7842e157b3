/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking work of a machine, embedded in the owner's operation. A machine has at most one job in progress, and so has
 * the engine with hf_steer_engine.one_job. Threads: `run` usually on a worker, all else on the loop. */
#pragma once

#include <stdatomic.h>

#include "loop/sched.h"
#include "steer/machine.h"

struct hf_steer_operation {
    int (*run)(struct hf_steer_job *job);
    /* Sets the operation's error: `run` was not called, because `what` failed with job->r. */
    void (*lost)(struct hf_steer_job *job, int r, const char *what);
    void (*then)(struct hf_steer_job *job); /* called at the end, unless the engine is closing */
    void (*free)(struct hf_steer_job *job);
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
/* If no worker takes it, or with `inline_` of the core, the job ends before the return. */
void hf_steer_job_submit(struct hf_steer_job *job);
void hf_steer_job_cancel(struct hf_steer_job *job);
