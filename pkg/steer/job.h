/* SPDX-License-Identifier: Apache-2.0 */
/* One piece of blocking work of a machine, embedded in the owner's operation beside its parameters and results. A
 * machine has at most one in progress, and so has the engine with hf_steer_engine.one_job. A job holds a reference of
 * the engine. Threads: `run` on a worker, which looks at `cancel`. */
#pragma once

#include <stdatomic.h>

#include "loop/sched.h"
#include "steer/machine.h"

struct hf_steer_operation {
    int (*run)(struct hf_steer_job *job); /* its result goes to job->r */
    /* No worker has run it: sets the operation's error. job->r is set. */
    void (*lost)(struct hf_steer_job *job, int r, const char *what);
    void (*then)(struct hf_steer_job *job); /* at the end in any case, but not if the engine is closing */
    void (*free)(struct hf_steer_job *job); /* the operation */
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
/* If no worker takes it, it ends before this returns. */
void hf_steer_job_submit(struct hf_steer_job *job);
/* `run` ends soon, if it looks. Accepts NULL. */
void hf_steer_job_cancel(struct hf_steer_job *job);
