/* loop/sched.h - timers and background jobs, as a table of functions.
 *
 * loop/loop.h makes the real table over libuv; tests have a virtual one (tests/support/fakes/simloop.h), so a whole
 * process can run on a virtual clock. Threads: all calls and callbacks are on the loop thread, except hf_job.work. A
 * callback never runs inside the call that asked for it. */
#pragma once

#include <stdint.h>

#include "base/list.h"
#include "base/macros.h"

struct hf_timer; /* opaque; belongs to the table that made it */

/* A piece of blocking work. The caller owns the structure and keeps it until `done`. `done` comes exactly once, also
 * when the loop is closing (with cancelled = 1 if `work` never ran). `work` runs on a worker thread and touches only
 * its own job. */
struct hf_job {
    void (*work)(struct hf_job *job);
    void (*done)(struct hf_job *job, int cancelled);
    void *impl; /* the table's */
};

struct hf_sched_ops {
    void *ctx;
    /* NULL on OOM. */
    struct hf_timer *(*timer_new)(void *ctx, void (*fire)(void *arg), void *arg);
    /* Fires once, `delay_ns` from now (0: in the next turn of the loop). Arming again moves it. */
    void (*timer_arm)(void *ctx, struct hf_timer *timer, uint64_t delay_ns);
    void (*timer_disarm)(void *ctx, struct hf_timer *timer);
    void (*timer_free)(void *ctx, struct hf_timer *timer); /* NULL is fine; safe inside its own callback */
    /* 0; -ENOMEM or -ECANCELED: the job is not queued, and `done` will not come. */
    HF_MUST_USE int (*submit)(void *ctx, struct hf_job *job);
};
