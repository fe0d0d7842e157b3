/* SPDX-License-Identifier: Apache-2.0 */
/* Runs an agent's turns by a timer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop/sched.h"

enum hf_due {
    HF_DUE_FACTS = 1,
    HF_DUE_POLICY = 2,
    HF_DUE_PLAN = 4,
    HF_DUE_STATUS = 8,
};

struct hf_turn {
    const struct hf_sched_ops *sched;
    struct hf_timer *timer;
    unsigned due; /* set of enum hf_due */
    bool running; /* a turn runs: new work waits for it or for the next turn */
    bool ended;
};

HF_MUST_USE int hf_turn_init(struct hf_turn *turn, const struct hf_sched_ops *sched, void (*run)(void *arg), void *arg);
void hf_turn_done(struct hf_turn *turn);

/* Adds to `due`; unless a turn runs now, the loop's next iteration runs one. */
void hf_turn_wake(struct hf_turn *turn, unsigned due);

/* Runs a turn after `delay_ns`, or sooner by hf_turn_wake(). */
void hf_turn_schedule(struct hf_turn *turn, uint64_t delay_ns);

void hf_turn_end(struct hf_turn *turn);
