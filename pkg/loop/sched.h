/* loop/sched.h - timers and background work, as a table of functions.
 *
 * The real table is made by loop/loop.h over libuv; tests have a virtual one (tests/support/sim_*), so a whole process can
 * run on a virtual clock. Everything here is called on, and calls back on, the loop thread, except hf_job.work.
 * A callback never runs inside the call that asked for it. */
#pragma once

#include <stdint.h>

#include "base/list.h"
#include "base/macros.h"

struct hf_timer; /* opaque, of the table that made it */

/* A piece of blocking work. The caller owns the structure and keeps it alive until `done` has been called; `done` is always
 * called, exactly once, also when the loop is closing (then with cancelled = 1 if `work` never ran). `work` runs on a worker
 * thread and touches nothing but what hangs off its own job. */
struct hf_job {
    void (*work)(struct hf_job *job);
    void (*done)(struct hf_job *job, int cancelled);
    void *impl; /* the table's */
};

struct hf_sched_ops {
    void *ctx;
    /* NULL on OOM. */
    struct hf_timer *(*timer_new)(void *ctx, void (*fire)(void *arg), void *arg);
    /* One shot, in `delay_ns` from now (0: in the next turn of the loop); arming again moves it. */
    void (*timer_arm)(void *ctx, struct hf_timer *timer, uint64_t delay_ns);
    void (*timer_disarm)(void *ctx, struct hf_timer *timer);
    void (*timer_free)(void *ctx, struct hf_timer *timer); /* NULL is fine; safe inside its own callback */
    /* 0, or -ENOMEM / -ECANCELED when it was not queued (done is then not called). */
    HF_MUST_USE int (*submit)(void *ctx, struct hf_job *job);
};
