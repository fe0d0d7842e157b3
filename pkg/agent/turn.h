/* agent/turn.h - the work that is due in the next turn of an agent, and the timer that starts that turn. Loop thread
 * only.
 *
 * Every event notes the work that it makes due and asks for a turn. A turn does all the work that is due, so the order
 * of events does not matter. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop/sched.h"

enum hf_due {
    HF_DUE_FACTS = 1,  /* read the machine */
    HF_DUE_POLICY = 2, /* choose the policy, compute labels */
    HF_DUE_PLAN = 4,   /* compute the desired state, hand it to the update engine */
    HF_DUE_STATUS = 8, /* build the status */
};

struct hf_turn {
    const struct hf_sched_ops *sched;
    struct hf_timer *timer;
    unsigned due; /* set of enum hf_due */
    bool running; /* a turn is running; this turn also does the work that is noted meanwhile */
    bool ended;   /* hf_turn_end() was called: no further turn starts */
};

/* Makes the timer. Each turn calls `run` with `arg`. -ENOMEM. */
HF_MUST_USE int hf_turn_init(struct hf_turn *turn, const struct hf_sched_ops *sched, void (*run)(void *arg), void *arg);
void hf_turn_done(struct hf_turn *turn);

/* Notes `due` (may be 0) and starts a turn in the next round of the loop. */
void hf_turn_wake(struct hf_turn *turn, unsigned due);

/* Starts the next turn after `delay_ns`, unless hf_turn_wake() starts it earlier. */
void hf_turn_schedule(struct hf_turn *turn, uint64_t delay_ns);

/* Prevents any further turn. */
void hf_turn_end(struct hf_turn *turn);
