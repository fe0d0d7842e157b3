/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine with several machines needs: references, wake-ups, notices, and the turn: with `one_job`, who has the
 * job. Part of the owner's engine, which `gone` frees. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop/world.h"

struct hf_steer_core;
struct hf_steer_machine;

/* The event loop calls these, never a function of the engine; only hf_steer_core_unref() also calls `gone`. */
struct hf_steer_engine {
    /* Lets machines start what is due. Returns the time of the next look, or HF_NEVER. */
    uint64_t (*consider)(struct hf_steer_core *core);
    void (*changed)(struct hf_steer_core *core); /* a status has changed; may close the engine */
    void (*gone)(struct hf_steer_core *core);    /* frees the engine */
    /* all machines together have one job at a time */
    bool one_job;
};

struct hf_steer_core {
    const struct hf_steer_engine *engine;
    struct hf_world world;
    struct hf_timer *timer;
    uint64_t wake_ns; /* the timer's; HF_NEVER: not armed */
    unsigned refs;    /* of the owner, jobs in progress, a running `consider` */
    bool closing;     /* nothing starts, no `then` of a job comes */
    bool notify_pending;
    bool inline_;                    /* jobs run inside hf_steer_job_submit() */
    struct hf_steer_machine *active; /* has the turn */
};

/* Has the owner's reference. Borrows `engine`. After -ENOMEM nothing is to be freed. */
HF_MUST_USE int hf_steer_core_init(struct hf_steer_core *core, const struct hf_steer_engine *engine,
                                   const struct hf_world *world);
/* Nothing starts any more. The owner then stops what runs, and gives its reference back. */
void hf_steer_core_close(struct hf_steer_core *core);
void hf_steer_core_ref(struct hf_steer_core *core);
void hf_steer_core_unref(struct hf_steer_core *core);

uint64_t hf_steer_core_now_ns(const struct hf_steer_core *core);
/* `consider` follows within delay_ns; 0: in the next iteration. */
void hf_steer_core_wake_in(struct hf_steer_core *core, uint64_t delay_ns);
void hf_steer_core_wake(struct hf_steer_core *core);
/* `changed` follows in the next iteration. */
void hf_steer_core_notify(struct hf_steer_core *core);
/* Is a call of `consider` due? */
bool hf_steer_core_is_woken(const struct hf_steer_core *core);
/* If `machine` has the turn, ends it: others may start. */
void hf_steer_core_leave_turn(struct hf_steer_core *core, const struct hf_steer_machine *machine);
