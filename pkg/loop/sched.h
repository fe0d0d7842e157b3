/* SPDX-License-Identifier: Apache-2.0 */
/* loop/sched.h - timers and background jobs, as a table of functions.
 *
 * loop/loop.h implements the table with libuv. Tests use tests/support/fakes/simloop.h, where a whole process runs on a
 * virtual clock. Threads: all calls and callbacks are on the loop thread, except hf_job.work. The functions of the
 * table never run a callback before they return. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/macros.h"

struct hf_timer; /* opaque; belongs to the table that made it */

/* A piece of blocking work. The caller owns the structure and keeps it until `done`. After a successful submit(),
 * `done` comes exactly once, even when the loop is ending. The argument `cancelled` of `done` is 1 if `work` never ran.
 * `work` runs on a worker thread and touches only its own job. */
struct hf_job {
    void (*work)(struct hf_job *job);
    void (*done)(struct hf_job *job, int cancelled);
    void *impl; /* private data of the table that runs the job */
    /* true if `work` may hang for ever, because it looks at a file system that is not the node's own: a network file
     * system whose server is away, or a dead disk. Only one such job runs at a time, so that the other workers stay
     * free; the others wait for it. */
    bool may_hang;
    /* true once a worker runs `work`. Before that, the job may wait for long: the workers are few. */
    atomic_bool begun;
};

struct hf_sched_ops {
    void *ctx;
    /* Makes a timer that is not armed. Returns NULL if memory runs out. */
    struct hf_timer *(*timer_new)(void *ctx, void (*fire)(void *arg), void *arg);
    /* Makes the timer fire once, `delay_ns` from now (0 means in the next iteration of the loop). Arming an armed timer
     * replaces its delay; HF_NEVER disarms it. */
    void (*timer_arm)(void *ctx, struct hf_timer *timer, uint64_t delay_ns);
    void (*timer_disarm)(void *ctx, struct hf_timer *timer);
    /* Frees `timer`, which may be NULL. The timer's own callback may call this function. */
    void (*timer_free)(void *ctx, struct hf_timer *timer);
    /* Queues the job and returns 0. -ENOMEM or -ECANCELED (the loop ends): the job is not in the queue, and `done` does
     * not come. */
    HF_MUST_USE int (*submit)(void *ctx, struct hf_job *job);
};
