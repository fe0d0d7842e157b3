/* SPDX-License-Identifier: Apache-2.0 */
/* Timers and background jobs, as a table of functions, by loop/loop.h or, on a virtual clock,
 * tests/support/fakes/simloop.h. All is on the loop thread, except hf_job.work. No callback runs before a function
 * returns. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/macros.h"

struct hf_timer;

/* Blocking work. The caller keeps it until `done`, which comes exactly once after submit(). `cancelled`: `work` never
 * ran. `work` runs on a worker thread and touches only its job. */
struct hf_job {
    void (*work)(struct hf_job *job);
    void (*done)(struct hf_job *job, int cancelled);
    void *impl; /* the table's */
    /* may hang for ever on a foreign file system; one such job runs at a time */
    bool may_hang;
    bool waits;        /* for what the loop does: gets a thread of its own, for as long as it runs */
    atomic_bool begun; /* a worker runs it; it may wait for long before */
};

struct hf_sched_ops {
    void *ctx;
    /* Not armed. NULL: out of memory. */
    struct hf_timer *(*timer_new)(void *ctx, void (*fire)(void *arg), void *arg);
    /* Once; 0: in the next iteration; HF_NEVER disarms. Replaces an earlier delay. */
    void (*timer_arm)(void *ctx, struct hf_timer *timer, uint64_t delay_ns);
    void (*timer_disarm)(void *ctx, struct hf_timer *timer);
    /* Accepts NULL; also from its own callback. */
    void (*timer_free)(void *ctx, struct hf_timer *timer);
    /* -ENOMEM, -ECANCELED (the loop ends): `done` does not come. */
    HF_MUST_USE int (*submit)(void *ctx, struct hf_job *job);
};
