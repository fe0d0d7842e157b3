/* SPDX-License-Identifier: Apache-2.0 */
/* Timers and jobs, by loop/loop.h or, on a virtual clock, tests/support/fakes/simloop.h. All is on the loop thread,
 * except hf_job.work. No callback runs before a function returns. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/macros.h"

struct hf_timer;

/* Blocking work. The caller keeps it until `done`, which comes once after submit(). `cancelled`: `work` never ran.
 * `work`, on a worker thread, touches only its job. */
struct hf_job {
    void (*work)(struct hf_job *job);
    void (*done)(struct hf_job *job, int cancelled);
    void *impl;
    /* on a foreign file system; one such job runs at a time */
    bool may_hang;
    bool waits;        /* for what the loop does: has a thread of its own */
    atomic_bool begun; /* by a worker, maybe long after submit() */
};

struct hf_sched_ops {
    void *ctx;
    /* Not armed. */
    struct hf_timer *(*timer_new)(void *ctx, void (*fire)(void *arg), void *arg);
    /* Once; 0: next iteration; HF_NEVER disarms. Replaces an earlier delay. */
    void (*timer_arm)(void *ctx, struct hf_timer *timer, uint64_t delay_ns);
    void (*timer_disarm)(void *ctx, struct hf_timer *timer);
    /* Also from its callback. Accepts NULL. */
    void (*timer_free)(void *ctx, struct hf_timer *timer);
    /* -ENOMEM, -ECANCELED (the loop ends): no `done`. */
    HF_MUST_USE int (*submit)(void *ctx, struct hf_job *job);
};
