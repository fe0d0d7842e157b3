/* SPDX-License-Identifier: Apache-2.0 */
/* An agent's turns, by a timer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop/sched.h"

enum hf_due {
    HF_DUE_FACTS = 1,
    HF_DUE_POLICY = 2, /* choose policies, compute labels */
    HF_DUE_PLAN = 4,   /* for the engine */
    HF_DUE_STATUS = 8,
};

struct hf_turn {
    const struct hf_sched_ops *sched;
    struct hf_timer *timer;
    unsigned due; /* set of enum hf_due */
    bool running; /* in a turn: this or the next does new work */
    bool ended;
};

HF_MUST_USE int hf_turn_init(struct hf_turn *turn, const struct hf_sched_ops *sched, void (*run)(void *arg), void *arg);
void hf_turn_done(struct hf_turn *turn);

/* Adds `due` (may be 0), and runs a turn in the loop's next iteration. */
void hf_turn_wake(struct hf_turn *turn, unsigned due);

/* A turn after `delay_ns`, or by hf_turn_wake(). */
void hf_turn_schedule(struct hf_turn *turn, uint64_t delay_ns);

void hf_turn_end(struct hf_turn *turn);
