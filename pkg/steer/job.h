/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking work of a machine, embedded in the owner's operation. A machine has at most one in progress, and so has an
 * engine with hf_steer_engine.one_job. A job references the engine. Threads: `run` on a worker, which looks at
 * `cancel`; the others on the loop. */
#pragma once

#include <stdatomic.h>

#include "loop/sched.h"
#include "steer/machine.h"

struct hf_steer_operation {
    int (*run)(struct hf_steer_job *job); /* its result becomes job->r */
    /* `run` was not called; job->r is set. Sets the operation's error; `what` failed. */
    void (*lost)(struct hf_steer_job *job, int r, const char *what);
    void (*then)(struct hf_steer_job *job); /* always at the end, unless the engine is closing */
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
/* If no worker takes it, or with `inline_` of the core, it ends before the return. */
void hf_steer_job_submit(struct hf_steer_job *job);
/* `run` ends soon, if it looks at `cancel`. */
void hf_steer_job_cancel(struct hf_steer_job *job);
