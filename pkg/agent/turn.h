/* SPDX-License-Identifier: Apache-2.0 */
/* agent/turn.h - records the work that is due in the next turn of an agent, and has the timer that starts the turn.
 * Threads: loop thread only.
 *
 * Every event records which work has become due, and calls hf_turn_wake(). A turn does all the work that is due, so the
 * order of events does not matter. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop/sched.h"

enum hf_due {
    HF_DUE_FACTS = 1,  /* read the facts of the machine */
    HF_DUE_POLICY = 2, /* choose the policy in effect, and compute the labels */
    HF_DUE_PLAN = 4,   /* compute the desired state, and pass it to the update engine */
    HF_DUE_STATUS = 8, /* build the status */
};

struct hf_turn {
    const struct hf_sched_ops *sched;
    struct hf_timer *timer;
    unsigned due; /* work that is due, as a set of enum hf_due */
    bool running; /* true while a turn runs; work that becomes due meanwhile is for this turn or the next one */
    bool ended;   /* true after hf_turn_end(); no further turn starts */
};

/* Makes the timer. Each turn calls run(arg). Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_turn_init(struct hf_turn *turn, const struct hf_sched_ops *sched, void (*run)(void *arg), void *arg);
void hf_turn_done(struct hf_turn *turn);

/* Adds `due` (may be 0) to the work that is due, and starts a turn in the next iteration of the event loop. If a turn
 * runs, its later steps do the work, or the next turn does. */
void hf_turn_wake(struct hf_turn *turn, unsigned due);

/* Starts the next turn after `delay_ns`, unless hf_turn_wake() starts it earlier. */
void hf_turn_schedule(struct hf_turn *turn, uint64_t delay_ns);

/* Prevents any further turn. */
void hf_turn_end(struct hf_turn *turn);
