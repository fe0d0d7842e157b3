/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/source/turns.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/list.h"

struct hf_source_turns {
    const struct hf_sched_ops *sched;
    struct hf_timer *timer;
    struct hf_list waiting;         /* turns that have not come */
    struct hf_source_turn *present; /* the turn that has come; NULL if none has */
    unsigned refs;                  /* one for the owner, one for each turn */
};

struct hf_source_turn {
    struct hf_list link;
    struct hf_source_turns *turns;
    void (*begin)(void *arg);
    void *arg;
};

static void unref(struct hf_source_turns *turns)
{
    assert(turns->refs > 0);
    if (--turns->refs == 0)
        free(turns);
}

static void next(void *arg)
{
    struct hf_source_turns *turns = arg;

    if (turns->present != NULL || hf_list_empty(&turns->waiting))
        return;
    struct hf_source_turn *turn = hf_container_of(turns->waiting.next, struct hf_source_turn, link);
    hf_list_remove(&turn->link);
    turns->present = turn;
    turn->begin(turn->arg);
}

struct hf_source_turns *hf_source_turns_new(const struct hf_sched_ops *sched)
{
    struct hf_source_turns *turns = calloc(1, sizeof(*turns));

    if (turns == NULL)
        return NULL;
    *turns = (struct hf_source_turns){.sched = sched, .refs = 1};
    hf_list_init(&turns->waiting);
    turns->timer = hf_timer_new(sched, next, turns);
    if (turns->timer == NULL) {
        free(turns);
        return NULL;
    }
    return turns;
}

void hf_source_turns_free(struct hf_source_turns *turns)
{
    if (turns == NULL)
        return;
    assert(hf_list_empty(&turns->waiting));
    hf_timer_free(turns->sched, hf_steal(turns->timer));
    unref(turns);
}

int hf_source_turn_ask(struct hf_source_turns *turns, void (*begin)(void *arg), void *arg,
                       struct hf_source_turn **ret_turn)
{
    *ret_turn = NULL;
    if (turns == NULL) {
        begin(arg);
        return 0;
    }
    struct hf_source_turn *turn = malloc(sizeof(*turn));
    if (turn == NULL)
        return -ENOMEM;
    *turn = (struct hf_source_turn){.turns = turns, .begin = begin, .arg = arg};
    turns->refs++;
    hf_list_append(&turns->waiting, &turn->link);
    hf_timer_arm(turns->sched, turns->timer, 0);
    *ret_turn = turn;
    return 0;
}

bool hf_source_turn_has_come(const struct hf_source_turn *turn)
{
    return turn != NULL && turn->turns->present == turn;
}

void hf_source_turn_free(struct hf_source_turn *turn)
{
    if (turn == NULL)
        return;
    struct hf_source_turns *turns = turn->turns;
    if (turns->present == turn)
        turns->present = NULL;
    else
        hf_list_remove(&turn->link);
    free(turn);
    if (turns->timer != NULL)
        hf_timer_arm(turns->sched, turns->timer, 0);
    unref(turns);
}
