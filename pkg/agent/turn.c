/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/turn.h"

#include <errno.h>

int hf_turn_init(struct hf_turn *turn, const struct hf_sched_ops *sched, void (*run)(void *arg), void *arg)
{
    *turn = (struct hf_turn){.sched = sched, .timer = hf_timer_new(sched, run, arg)};
    return turn->timer != NULL ? 0 : -ENOMEM;
}

void hf_turn_done(struct hf_turn *turn)
{
    if (turn->sched != NULL)
        hf_timer_free(turn->sched, turn->timer);
    turn->timer = NULL;
}

void hf_turn_wake(struct hf_turn *turn, unsigned due)
{
    turn->due |= due;
    if (!turn->running)
        hf_turn_schedule(turn, 0);
}

void hf_turn_schedule(struct hf_turn *turn, uint64_t delay_ns)
{
    if (turn->timer != NULL && !turn->ended)
        hf_timer_arm(turn->sched, turn->timer, delay_ns);
}

void hf_turn_end(struct hf_turn *turn)
{
    turn->ended = true;
    if (turn->timer != NULL)
        hf_timer_disarm(turn->sched, turn->timer);
}
