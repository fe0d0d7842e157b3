/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine with several machines needs: references, wake-ups, notices, the turn. Part of the owner's engine,
 * which `gone` frees. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop/world.h"

struct hf_steer_core;
struct hf_steer_machine;

/* Called from the event loop, never from within the engine's calls; but `gone` also from hf_steer_core_unref(). */
struct hf_steer_engine {
    /* Lets machines start what is due. Returns the time of the next look, or HF_NEVER. */
    uint64_t (*consider)(struct hf_steer_core *core);
    void (*changed)(struct hf_steer_core *core); /* of a status; may close the engine */
    void (*gone)(struct hf_steer_core *core);    /* frees the engine */
    /* one job at a time: its machine has the turn */
    bool one_job;
};

struct hf_steer_core {
    const struct hf_steer_engine *engine;
    struct hf_world world;
    struct hf_timer *timer;
    uint64_t wake_ns; /* timer's; HF_NEVER: not armed */
    unsigned refs;    /* owner, jobs in progress, a look at all machines */
    bool closing;     /* nothing starts, no `then` comes */
    bool notify_pending;
    bool inline_;                    /* jobs run inside hf_steer_job_submit() */
    struct hf_steer_machine *active; /* has the turn */
};

/* With the owner's reference. Borrows. After -ENOMEM nothing is to be freed. */
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
/* Is a look at all machines due? */
bool hf_steer_core_is_woken(const struct hf_steer_core *core);
/* If it has the turn: the others are considered. */
void hf_steer_core_leave_turn(struct hf_steer_core *core, const struct hf_steer_machine *machine);
