/* SPDX-License-Identifier: Apache-2.0 */
/* Timers and jobs. All run on the loop thread, except hf_job.work. No callback runs before a function returns. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/macros.h"

struct hf_timer;

/* Blocking work. The caller keeps it until `done`, which comes once after submit(). `cancelled`: `work` never ran.
 * `work` runs on another thread, and touches only its job. */
struct hf_job {
    void (*work)(struct hf_job *job);
    void (*done)(struct hf_job *job, int cancelled);
    void *impl;
    /* it uses a foreign file system; one such job runs at a time */
    bool may_hang;
    bool waits;        /* it waits for what the loop does, so it has its own thread */
    atomic_bool begun; /* a worker has begun it */
};

struct hf_sched_ops {
    void *ctx;
    struct hf_timer *(*timer_new)(void *ctx, void (*fire)(void *arg), void *arg);
    /* The timer fires once; 0: soon, as a task; HF_NEVER: not at all. Replaces an earlier delay. */
    void (*timer_arm)(void *ctx, struct hf_timer *timer, uint64_t delay_ns);
    void (*timer_disarm)(void *ctx, struct hf_timer *timer);
    /* Allowed in the timer's callback. Accepts NULL. */
    void (*timer_free)(void *ctx, struct hf_timer *timer);
    /* -ENOMEM; -ECANCELED: the loop ends; others. Then `done` does not come. */
    HF_MUST_USE int (*submit)(void *ctx, struct hf_job *job);
};

static inline struct hf_timer *hf_timer_new(const struct hf_sched_ops *sched, void (*fire)(void *arg), void *arg)
{
    return sched->timer_new(sched->ctx, fire, arg);
}

static inline void hf_timer_arm(const struct hf_sched_ops *sched, struct hf_timer *timer, uint64_t delay_ns)
{
    sched->timer_arm(sched->ctx, timer, delay_ns);
}

static inline void hf_timer_disarm(const struct hf_sched_ops *sched, struct hf_timer *timer)
{
    sched->timer_disarm(sched->ctx, timer);
}

static inline void hf_timer_free(const struct hf_sched_ops *sched, struct hf_timer *timer)
{
    sched->timer_free(sched->ctx, timer);
}

HF_MUST_USE static inline int hf_job_submit(const struct hf_sched_ops *sched, struct hf_job *job)
{
    return sched->submit(sched->ctx, job);
}
