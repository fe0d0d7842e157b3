/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rollout/engine_impl.h"

enum { MAX_EVENTS = 1000, MAX_NOTE = 1000, MAX_WRITES = 4096 };

void hf_rollout_due(struct hf_rollout_engine *engine, uint64_t mono_ns)
{
    engine->next_ns = HF_MIN(engine->next_ns, mono_ns);
}

void hf_rollout_touch(struct hf_rollout_engine *engine)
{
    for (size_t i = 0; i < engine->n_tracks; i++)
        engine->tracks[i]->dirty = true;
    engine->turns_dirty = true;
}

static void clear_effect(struct effect *effect)
{
    free(effect->name);
    free(effect->uid);
    free(effect->note);
    json_decref(effect->body);
    *effect = (struct effect){0};
}

void hf_rollout_clear_effects(struct hf_rollout_engine *engine)
{
    for (size_t i = 0; i < engine->n_effects; i++)
        clear_effect(&engine->effects[i]);
    engine->n_effects = 0;
}

bool hf_rollout_has_room(const struct hf_rollout_engine *engine)
{
    return engine->n_effects < HF_ENGINE_EFFECTS;
}

uint64_t hf_rollout_emit(struct hf_rollout_engine *engine, enum hf_rollout_effect_kind kind, const char *name,
                         json_t *body, bool is_urgent)
{
    struct effect *effect = &engine->effects[engine->n_effects];
    char *copy = strdup(name);

    if (copy == NULL || engine->n_effects == HF_ENGINE_EFFECTS) {
        json_decref(body);
        free(copy);
        return 0;
    }
    *effect = (struct effect){.name = copy, .body = body};
    effect->effect = (struct hf_rollout_effect){.kind = kind, .id = ++engine->last_id, .is_urgent = is_urgent};
    engine->n_effects++;
    return engine->last_id;
}

void hf_rollout_event(struct hf_rollout_engine *engine, const struct track *track, const char *reason, bool is_warning,
                      const char *format, ...)
{
    char note[MAX_NOTE + 1];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(note, sizeof(note), format, args);
    va_end(args);
    if (hf_array_grow(engine->events, engine->n_events, engine->cap_events, MAX_EVENTS) < 0)
        return;
    struct effect *event = &engine->events[engine->n_events];
    *event = (struct effect){.name = strdup(track->name), .uid = strdup(track->uid), .note = strdup(note)};
    event->effect = (struct hf_rollout_effect){.kind = HF_ROLLOUT_EVENT, .reason = reason, .is_warning = is_warning};
    if (event->name == NULL || event->uid == NULL || event->note == NULL)
        clear_effect(event);
    else
        engine->n_events++;
}

/* Events go out behind the writes, as far as there is room. */
static void move_events(struct hf_rollout_engine *engine)
{
    size_t n = HF_MIN(engine->n_events, HF_ENGINE_EFFECTS - engine->n_effects);

    if (n == 0)
        return;
    memcpy(engine->effects + engine->n_effects, engine->events, n * sizeof(*engine->events));
    memmove(engine->events, engine->events + n, (engine->n_events - n) * sizeof(*engine->events));
    engine->n_effects += n;
    engine->n_events -= n;
}

void hf_rollout_show_effects(struct hf_rollout_engine *engine, struct hf_rollout_plan *ret_plan)
{
    move_events(engine);
    for (size_t i = 0; i < engine->n_effects; i++) {
        const struct effect *from = &engine->effects[i];
        struct hf_rollout_effect *to = &engine->shown[i];
        *to = from->effect;
        to->name = from->name;
        to->uid = from->uid;
        to->note = from->note;
        to->body = from->body;
    }
    *ret_plan = (struct hf_rollout_plan){engine->shown, engine->n_effects, engine->next_ns};
}

/* ---- writes of EdgeNodes ----------------------------------------------------------------------------------------- */

int hf_rollout_write_node(struct hf_rollout_engine *engine, enum hf_rollout_effect_kind kind, uint32_t node,
                          json_t *body, const struct hf_fleet_turns *turns)
{
    struct hf_fleet_node *record = &engine->fleet.nodes[node];
    struct node_write *write;
    int r = hf_array_grow(engine->writes, engine->n_writes, engine->cap_writes, MAX_WRITES);

    if (r < 0) {
        json_decref(body);
        return -ENOMEM;
    }
    write = &engine->writes[engine->n_writes];
    *write = (struct node_write){.kind = kind, .node = node, .version = record->version.shown};
    if (turns != NULL)
        write->turns = *turns;
    write->id = hf_rollout_emit(engine, kind, record->name, body, kind == HF_ROLLOUT_TURNS);
    if (write->id == 0)
        return -ENOMEM;
    record->flags |= HF_FLEET_WRITING;
    engine->n_writes++;
    return 0;
}

static void remove_write(struct hf_rollout_engine *engine, size_t i)
{
    uint32_t node = engine->writes[i].node;
    bool more = false;

    engine->writes[i] = engine->writes[--engine->n_writes];
    for (size_t k = 0; k < engine->n_writes; k++)
        more = more || engine->writes[k].node == node;
    if (!more)
        engine->fleet.nodes[node].flags &= (uint8_t)~HF_FLEET_WRITING;
    engine->turns_dirty = true;
}

/* A write whose resourceVersion is not the present one can change nothing any more. */
void hf_rollout_settle_node(struct hf_rollout_engine *engine, uint32_t node)
{
    const struct hf_fleet_node *record = &engine->fleet.nodes[node];

    if (!(record->flags & HF_FLEET_WRITING))
        return;
    for (size_t i = engine->n_writes; i-- > 0;)
        if (engine->writes[i].node == node && engine->writes[i].id == 0 &&
            record->version.shown > engine->writes[i].version)
            remove_write(engine, i);
}

void hf_rollout_rewind_node(struct hf_rollout_engine *engine, uint32_t node, bool had_turns,
                            const struct hf_rollout_now *now)
{
    bool is_writing = engine->fleet.nodes[node].flags & HF_FLEET_WRITING;

    for (size_t i = engine->n_writes; is_writing && i-- > 0;) {
        if (engine->writes[i].node != node)
            continue;
        had_turns = had_turns || engine->writes[i].kind == HF_ROLLOUT_TURNS;
        remove_write(engine, i);
    }
    if (!had_turns || hf_array_grow(engine->writes, engine->n_writes, engine->cap_writes, MAX_WRITES) < 0)
        return;
    engine->writes[engine->n_writes++] = (struct node_write){
        .kind = HF_ROLLOUT_TURNS, .node = node, .is_doubtful = true, .version = UINT64_MAX, .retry_ns = now->mono_ns};
    engine->fleet.nodes[node].flags |= HF_FLEET_WRITING;
}

void hf_rollout_forget_node(struct hf_rollout_engine *engine, uint32_t node)
{
    for (size_t i = engine->n_writes; i-- > 0;)
        if (engine->writes[i].node == node)
            remove_write(engine, i);
}

bool hf_rollout_must_wait(const struct hf_rollout_engine *engine, uint32_t node, const struct hf_rollout_now *now)
{
    const struct hf_fleet_node *record = &engine->fleet.nodes[node];

    if (record->paused_s > hf_fleet_seconds(now->mono_ns))
        return true;
    for (size_t i = 0; (record->flags & HF_FLEET_WRITING) && i < engine->n_writes; i++)
        if (engine->writes[i].node == node && engine->writes[i].id != 0)
            return true;
    return false;
}

void hf_rollout_end_doubts(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    for (size_t i = engine->n_writes; i-- > 0;) {
        const struct node_write *write = &engine->writes[i];
        if (write->id == 0 && now->mono_ns >= HF_MAX(write->retry_ns, engine->seeing_ns) + HF_ENGINE_DOUBT_NS)
            remove_write(engine, i);
    }
}

/* Pauses the node of a write, unless its object has another version by now, for which the result may be different. */
static void pause_node(struct hf_rollout_engine *engine, const struct node_write *write, uint64_t until_ns)
{
    struct hf_fleet_node *node = &engine->fleet.nodes[write->node];

    if (node->version.shown == write->version)
        node->paused_s = hf_fleet_seconds(until_ns);
}

/* A refusal is certain, but it tells nothing about an earlier attempt of unknown outcome. */
static void take_result(struct hf_rollout_engine *engine, size_t i, int r, const struct hf_rollout_now *now)
{
    struct node_write *write = &engine->writes[i];
    bool is_turns = write->kind == HF_ROLLOUT_TURNS;
    bool refused = r == -EBADMSG || r == -EACCES || r == -ENOENT;

    write->id = 0;
    write->retry_ns = now->mono_ns + (refused ? HF_ENGINE_REFUSED_NS : HF_ENGINE_RETRY_NS);
    if (refused)
        pause_node(engine, write, write->retry_ns);
    else if (!is_turns && r != -ECANCELED) /* also after success: until the node shows the mark, or is gone */
        pause_node(engine, write, now->mono_ns + HF_ENGINE_REFUSED_NS);
    if (!is_turns || ((refused || r == -ECANCELED) && !write->is_doubtful)) {
        remove_write(engine, i);
        return;
    }
    write->is_doubtful = write->is_doubtful || (r < 0 && r != -ESTALE);
}

bool hf_rollout_node_result(struct hf_rollout_engine *engine, uint64_t id, int r, const struct hf_rollout_now *now,
                            struct node_write *ret_write)
{
    size_t i = 0;

    while (i < engine->n_writes && engine->writes[i].id != id)
        i++;
    if (i == engine->n_writes)
        return false;
    *ret_write = engine->writes[i];
    engine->conflicts += r == -ESTALE;
    take_result(engine, i, r, now);
    hf_rollout_settle_node(engine, ret_write->node); /* the watch may have brought a newer version before the answer */
    return true;
}
