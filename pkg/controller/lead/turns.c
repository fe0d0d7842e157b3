/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/lead/turns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hf_turns_arm(struct hf_turns *turns, uint64_t at_ns)
{
    uint64_t now = hf_mono_ns(turns->env->world.clock);

    if (at_ns >= turns->armed_ns)
        return;
    turns->armed_ns = at_ns;
    hf_timer_arm(turns->env->world.sched, turns->timer, at_ns > now ? at_ns - now : 0);
}

static uint64_t at_of(struct hf_turns_object *object)
{
    uint64_t due = object->pending != NULL ? HF_NEVER : object->turns->ops->due_ns(object);

    return HF_MAX(due, HF_MAX(object->due_ns, object->turns->next_turn_ns));
}

void hf_turns_look(struct hf_turns_object *object)
{
    hf_turns_arm(object->turns, at_of(object));
}

static void work(void *arg)
{
    struct hf_turns *turns = arg;
    uint64_t now = hf_mono_ns(turns->env->world.clock), next = HF_NEVER;

    turns->armed_ns = HF_NEVER;
    if (!turns->env->leads(turns->env->arg))
        return;
    for (size_t i = 0; i < turns->objects.n && turns->n_flying < turns->ops->max_flying; i++) {
        struct hf_turns_object *object = turns->objects.entries[i].value;
        if (at_of(object) <= now) {
            turns->ops->begin(object);
            if (object->pending != NULL || object->due_ns > now) /* one that could not send had its turn, too */
                turns->next_turn_ns = now + turns->ops->turn_ns;
        }
        next = HF_MIN(next, at_of(object));
    }
    hf_turns_arm(turns, next);
}

/* ---- one object -------------------------------------------------------------------------------------------------- */

static void answered(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_turns_object *object = arg;

    object->pending = NULL;
    object->turns->n_flying--;
    object->turns->ops->answered(object, answer);
}

int hf_turns_send(struct hf_turns_object *object, const struct hf_kube_call *call, struct hf_err *err)
{
    int r = hf_kube_call_send(object->turns->env->kube, call, answered, object, &object->pending, err);

    if (r == 0)
        object->turns->n_flying++;
    return r;
}

static void stop(struct hf_turns_object *object)
{
    struct hf_turns *turns = object->turns;

    if (object->pending != NULL) {
        turns->n_flying--;
        hf_turns_arm(turns, turns->next_turn_ns); /* others may wait for the place */
    }
    hf_kube_call_cancel(object->pending);
    object->pending = NULL;
}

void hf_turns_rest(struct hf_turns_object *object, uint64_t pause_ns)
{
    struct hf_turns *turns = object->turns;

    stop(object);
    object->due_ns = hf_mono_ns(turns->env->world.clock) + pause_ns;
    hf_turns_look(object);
    hf_turns_arm(turns, turns->next_turn_ns); /* others may wait for the place */
}

static void free_object(void *pointer)
{
    struct hf_turns_object *object = pointer;

    stop(object);
    object->turns->ops->done(object);
    free(object);
}

void *hf_turns_make(struct hf_turns *turns, const char *name)
{
    struct hf_turns_object *object = hf_strmap_get(&turns->objects, name);
    size_t size = turns->ops->object_size;

    if (object != NULL)
        return object;
    object = calloc(1, size + strlen(name) + 1);
    if (object == NULL || hf_strmap_put(&turns->objects, name, object) < 0) {
        free(object);
        return NULL;
    }
    object->turns = turns;
    object->name = memcpy((char *)object + size, name, strlen(name) + 1);
    return object;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

int hf_turns_init(struct hf_turns *turns, const struct hf_leader_env *env, const struct hf_turns_ops *ops)
{
    *turns = (struct hf_turns){.env = env, .ops = ops, .objects.free_value = free_object, .armed_ns = HF_NEVER};
    turns->timer = hf_timer_new(env->world.sched, work, turns);
    return turns->timer == NULL ? -ENOMEM : 0;
}

void hf_turns_done(struct hf_turns *turns)
{
    hf_strmap_done(&turns->objects);
    hf_timer_free(turns->env->world.sched, turns->timer);
}
