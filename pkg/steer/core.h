/* SPDX-License-Identifier: Apache-2.0 */
/* Gives an engine with several machines references, wake-ups, notices and, with `one_job`, the turn: the right of one
 * machine to the job. The owner's engine embeds it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop/world.h"

struct hf_steer_core;
struct hf_steer_machine;

/* Called by the event loop; `gone`, which frees the engine, by the last hf_steer_core_unref(). */
struct hf_steer_engine {
    /* Lets machines start what is due. Returns when to call it again, or HF_NEVER. */
    uint64_t (*consider)(struct hf_steer_core *core);
    void (*changed)(struct hf_steer_core *core); /* a status has changed; this function may close the engine */
    void (*gone)(struct hf_steer_core *core);
    /* all machines together have one job at a time */
    bool one_job;
};

struct hf_steer_core {
    const struct hf_steer_engine *engine;
    struct hf_world world;
    struct hf_timer *timer;
    uint64_t wake_ns; /* HF_NEVER: the timer is not armed */
    unsigned refs;    /* references of the owner, jobs in progress, a running `consider` */
    bool closing;     /* nothing starts, and no `then` of a job is called */
    bool notify_pending;
    bool inline_;
    struct hf_steer_machine *active;
};

/* Begins with the owner's reference. Borrows `engine`. */
HF_MUST_USE int hf_steer_core_init(struct hf_steer_core *core, const struct hf_steer_engine *engine,
                                   const struct hf_world *world);
/* Lets nothing start any more. The owner then stops what runs, and gives its reference back. */
void hf_steer_core_close(struct hf_steer_core *core);
void hf_steer_core_ref(struct hf_steer_core *core);
void hf_steer_core_unref(struct hf_steer_core *core);

uint64_t hf_steer_core_now_ns(const struct hf_steer_core *core);
/* Calls `consider` within delay_ns; 0: in the loop's next iteration. */
void hf_steer_core_wake_in(struct hf_steer_core *core, uint64_t delay_ns);
void hf_steer_core_wake(struct hf_steer_core *core);
/* Calls `changed` in the loop's next iteration. */
void hf_steer_core_notify(struct hf_steer_core *core);
bool hf_steer_core_is_woken(const struct hf_steer_core *core);
/* Ends the turn of `machine`, if it has one, so that other machines may start. */
void hf_steer_core_leave_turn(struct hf_steer_core *core, const struct hf_steer_machine *machine);
