/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "rollout/engine_impl.h"

enum { HF_ENGINE_PREPARE = 20000 }; /* slots per plan */

enum { SILENT_PER_S = 20, TURNS_PER_S = 50 };
#define COLLECT_AFTER_NS (24 * 3600 * HF_NS_PER_S)

int hf_rollout_engine_new(const struct hf_rollout_params *params, struct hf_rollout_engine **ret_engine)
{
    struct hf_rollout_engine *engine = calloc(1, sizeof(*engine));

    if (engine == NULL)
        return -ENOMEM;
    engine->params = *params;
    if (params->collect_after_ns == 0)
        engine->params.collect_after_ns = COLLECT_AFTER_NS;
    if (params->silent_per_s == 0)
        engine->params.silent_per_s = SILENT_PER_S;
    if (params->turns_per_s == 0)
        engine->params.turns_per_s = TURNS_PER_S;
    if (hf_fleet_init(&engine->fleet) < 0) {
        free(engine);
        return -ENOMEM;
    }
    for (size_t i = 0; i < HF_ROLLOUT_KINDS; i++)
        engine->watched[i] = true;
    *ret_engine = engine;
    return 0;
}

void hf_rollout_engine_free(struct hf_rollout_engine *engine)
{
    if (engine == NULL)
        return;
    hf_rollout_clear_effects(engine);
    while (engine->n_events > 0) {
        engine->effects[engine->n_effects++] = engine->events[--engine->n_events];
        hf_rollout_clear_effects(engine);
    }
    for (size_t i = 0; i < engine->n_tracks; i++)
        hf_rollout_track_free(engine->tracks[i]);
    free(engine->tracks);
    free(engine->writes);
    free(engine->events);
    hf_fleet_done(&engine->fleet);
    free(engine);
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

/* The time without sight is no soak. */
static void note_blindness(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    for (size_t i = 0; i < engine->n_tracks && now->blind_ns != engine->blind_ns; i++)
        engine->tracks[i]->stepped_ns = 0;
    engine->blind_ns = now->blind_ns;
}

/* Returns true if every rollout knows the slots of all nodes. */
static bool prepare(struct hf_rollout_engine *engine)
{
    size_t budget = HF_ENGINE_PREPARE;

    for (size_t i = 0; i < engine->n_tracks; i++) {
        struct track *track = engine->tracks[i];
        budget -= hf_rollout_track_prepare(track, &engine->fleet, budget);
        if (track->update != NULL && track->prepared < engine->fleet.n_slots)
            return false;
    }
    return true;
}

static bool sees(const struct hf_rollout_engine *engine)
{
    for (size_t i = 0; i < HF_ROLLOUT_KINDS; i++)
        if (!engine->complete[i] || !engine->watched[i])
            return false;
    return true;
}

/* Where one part fails, the others go on: no object may keep the controller from the rest of the fleet. Returns the
 * first error. */
static int plan_parts(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    int first = 0, r;

    for (size_t i = 0; i < engine->n_tracks; i++) {
        r = hf_rollout_plan_status(engine, engine->tracks[i], now);
        first = first < 0 ? first : r;
    }
    r = hf_rollout_plan_turns(engine, now);
    first = first < 0 ? first : r;
    r = hf_rollout_plan_nodes(engine, now);
    return first < 0 ? first : r;
}

int hf_rollout_engine_plan(struct hf_rollout_engine *engine, const struct hf_rollout_now *now,
                           struct hf_rollout_plan *ret_plan)
{
    int r = 0;

    hf_rollout_clear_effects(engine);
    engine->next_ns = HF_NEVER;
    if (engine->epoch != 0 && sees(engine)) {
        engine->seeing_ns = engine->seeing_ns != 0 ? engine->seeing_ns : now->mono_ns;
        note_blindness(engine, now);
        if (!prepare(engine)) {
            hf_rollout_due(engine, now->mono_ns);
        } else {
            hf_rollout_survey_turns(engine, now);
            r = plan_parts(engine, now);
        }
    }
    if (r < 0 && engine->n_effects > 0) { /* what is planned must be done; the remainder follows */
        hf_rollout_due(engine, now->mono_ns + HF_NS_PER_S);
        r = 0;
    }
    hf_rollout_show_effects(engine, ret_plan);
    return r;
}

static int take_answer(struct hf_rollout_engine *engine, enum hf_rollout_kind kind, const json_t *object,
                       uint64_t decided_on, const struct hf_rollout_now *now)
{
    if (object == NULL)
        return 0;
    return kind == HF_ROLLOUT_UPDATES ? hf_rollout_take_update(engine, hf_json_mutable(object), decided_on, now)
                                      : hf_rollout_take_edgenode(engine, object, decided_on, now);
}

int hf_rollout_engine_result(struct hf_rollout_engine *engine, uint64_t id, int r, const json_t *object,
                             const struct hf_rollout_now *now)
{
    struct node_write write;

    if (id == 0)
        return 0;
    if (hf_rollout_node_result(engine, id, r, now, &write)) {
        /* A 404 to another write is no proof that the node is gone, and its turn with it: the watch decides. */
        if (r == -ENOENT && write.kind == HF_ROLLOUT_COLLECT)
            hf_rollout_engine_drop_edgenode(engine, engine->fleet.nodes[write.node].name, now);
        return take_answer(engine, HF_ROLLOUT_EDGENODES, object, write.version, now);
    }
    for (size_t i = 0; i < engine->n_tracks; i++) {
        if (engine->tracks[i]->write.id != id)
            continue;
        uint64_t decided_on = engine->tracks[i]->write.decided_on;
        hf_rollout_status_result(engine, engine->tracks[i], r, now);
        return take_answer(engine, HF_ROLLOUT_UPDATES, object, decided_on, now);
    }
    return 0;
}

/* ---- views ------------------------------------------------------------------------------------------------------- */

void hf_rollout_engine_each(const struct hf_rollout_engine *engine,
                            void (*visit)(void *arg, const struct hf_rollout_view *view), void *arg)
{
    for (size_t i = 0; i < engine->n_tracks; i++) {
        const struct track *track = engine->tracks[i];
        bool has_strategy = track->update != NULL && track->update->has_strategy;
        struct hf_rollout_view view = {
            .name = track->name,
            .release = track->update != NULL ? track->update->release.name : "",
            .phase = has_strategy ? hf_rollout_phase_name(track->next.phase) : "",
            .reason = track->next.verdict.reason,
            .wave = has_strategy ? track->state.wave : 0,
            .cutoff = has_strategy ? track->next.admission_cutoff : HF_ROLLOUT_ALL_SLOTS,
            .counts = track->counts,
            .turns = track->n_turns,
            .halted = has_strategy && track->next.phase == HF_ROLLOUT_HALTED,
            .refused = track->update == NULL,
        };
        visit(arg, &view);
    }
}

void hf_rollout_engine_fleet(const struct hf_rollout_engine *engine, struct hf_rollout_fleet_view *ret_view)
{
    struct hf_rollout_fleet_view view = {
        .nodes = engine->fleet.n_nodes,
        .edgenodes = engine->fleet.n_edgenodes,
        .silent = engine->n_silent,
        .bytes = hf_fleet_bytes(&engine->fleet),
        .conflicts = engine->conflicts,
    };

    for (size_t i = 0; i < engine->fleet.n_slots; i++) {
        uint8_t flags = engine->fleet.nodes[i].flags;
        view.orphans += (flags & HF_FLEET_HAS_EDGENODE) && !(flags & HF_FLEET_HAS_NODE);
    }
    for (size_t i = 0; i < engine->n_tracks; i++)
        view.bytes += engine->tracks[i]->cap * (sizeof(uint16_t) + sizeof(uint8_t) +
                                                sizeof(uint32_t) * (engine->tracks[i]->groups != NULL ? 2 : 1));
    *ret_view = view;
}
