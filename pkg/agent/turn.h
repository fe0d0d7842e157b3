/* SPDX-License-Identifier: Apache-2.0 */
/* agent/turn.h - records the work that is due in the next turn of an agent, and starts it by a timer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop/sched.h"

enum hf_due {
    HF_DUE_FACTS = 1,
    HF_DUE_POLICY = 2, /* choose the policy, compute labels */
    HF_DUE_PLAN = 4,   /* compute the desired state for the engine */
    HF_DUE_STATUS = 8, /* build the status */
};

struct hf_turn {
    const struct hf_sched_ops *sched;
    struct hf_timer *timer;
    unsigned due; /* set of enum hf_due */
    bool running; /* a turn runs; new work is for it or the next */
    bool ended;
};

HF_MUST_USE int hf_turn_init(struct hf_turn *turn, const struct hf_sched_ops *sched, void (*run)(void *arg), void *arg);
void hf_turn_done(struct hf_turn *turn);

/* Adds `due` (may be 0); the turn starts in the next iteration of the loop. */
void hf_turn_wake(struct hf_turn *turn, unsigned due);

/* Starts the next turn after `delay_ns`, unless woken earlier. */
void hf_turn_schedule(struct hf_turn *turn, uint64_t delay_ns);

void hf_turn_end(struct hf_turn *turn);
