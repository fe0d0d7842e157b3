/* SPDX-License-Identifier: Apache-2.0 */
/* steer/core.h - what an engine with several machines needs: references, wake-ups, notices, the turn.
 *
 * Threads: loop thread only. Memory: the core is a part of the owner's engine, which `gone` frees. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rand.h"
#include "loop/sched.h"

struct hf_steer_core;
struct hf_steer_machine;

/* The owner's functions. All are called from the event loop, never from within a call into the engine; only `gone` may
 * come from within hf_steer_core_unref(). */
struct hf_steer_engine {
    /* Lets each machine start what it has to do. Returns the monotonic time in ns of the next look, or HF_NEVER. */
    uint64_t (*consider)(struct hf_steer_core *core);
    void (*changed)(struct hf_steer_core *core); /* a status has changed; may close the engine */
    void (*gone)(struct hf_steer_core *core);    /* frees the engine: the last reference has gone */
    /* True: one machine has a job at a time, so that the contents of two are never in memory together. The machine has
     * the turn while its job runs, and the others are considered afterwards. */
    bool one_job;
};

struct hf_steer_core {
    const struct hf_steer_engine *engine;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    struct hf_timer *timer;
    uint64_t wake_ns; /* monotonic time for which the timer is armed; HF_NEVER if it is not */
    unsigned refs;    /* one for the owner, one for each job in progress, one during a look at all machines */
    bool closing;     /* nothing starts any more, and no `then` is called */
    bool notify_pending;
    bool inline_;                    /* jobs run before hf_steer_job_submit() returns */
    struct hf_steer_machine *active; /* the machine that has the turn; NULL if none has it */
};

/* Begins with one reference, which is the owner's. Borrows everything. -ENOMEM: no timer; nothing is to be freed. */
HF_MUST_USE int hf_steer_core_init(struct hf_steer_core *core, const struct hf_steer_engine *engine,
                                   const struct hf_sched_ops *sched, const struct hf_clock_ops *clock,
                                   const struct hf_rand_ops *rng);
/* From now on nothing starts. The owner then stops what is in progress, and gives its reference back. */
void hf_steer_core_close(struct hf_steer_core *core);
void hf_steer_core_ref(struct hf_steer_core *core);
void hf_steer_core_unref(struct hf_steer_core *core);

uint64_t hf_steer_core_now_ns(const struct hf_steer_core *core);
/* `consider` is called after delay_ns at the latest (0: in the loop's next iteration). */
void hf_steer_core_wake_in(struct hf_steer_core *core, uint64_t delay_ns);
void hf_steer_core_wake(struct hf_steer_core *core);
/* `changed` is called in the loop's next iteration. */
void hf_steer_core_notify(struct hf_steer_core *core);
/* True if a look at all machines is due. */
bool hf_steer_core_is_woken(const struct hf_steer_core *core);
/* Takes the turn away if this machine has it, and lets the others be considered. */
void hf_steer_core_leave_turn(struct hf_steer_core *core, const struct hf_steer_machine *machine);
