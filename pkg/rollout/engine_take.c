/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "rollout/engine_impl.h"

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

/* Makes room for one more record before the fleet takes it: a track must never have fewer places than the fleet. */
static int grow_tracks(struct hf_rollout_engine *engine)
{
    for (size_t i = 0; i < engine->n_tracks; i++)
        if (hf_rollout_track_grow(engine->tracks[i], engine->fleet.n_slots + 1) < 0)
            return -ENOMEM;
    return 0;
}

static void node_changed(struct hf_rollout_engine *engine, uint32_t id, bool is_new, const struct hf_rollout_now *now)
{
    for (size_t i = 0; i < engine->n_tracks; i++)
        hf_rollout_track_node(engine->tracks[i], &engine->fleet, id, is_new, hf_rollout_node_seconds(now));
    engine->turns_dirty = true;
}

int hf_rollout_engine_take_node(struct hf_rollout_engine *engine, const json_t *node, const struct hf_rollout_now *now)
{
    bool changed = false,
         is_new = hf_fleet_find(&engine->fleet, hf_json_str_or(node, "metadata.name", "")) == HF_ID_NONE;
    uint32_t id = 0;
    int r = grow_tracks(engine);

    if (r == 0)
        r = hf_fleet_take_node(&engine->fleet, node, hf_rollout_node_seconds(now), &id, &changed);
    if (r == 0 && changed)
        node_changed(engine, id, is_new, now);
    return r;
}

/* The number of a record that goes may soon name another node. */
static void before_drop(struct hf_rollout_engine *engine, uint32_t id)
{
    hf_rollout_forget_node(engine, id);
    for (size_t i = 0; i < engine->n_tracks; i++) {
        struct track *track = engine->tracks[i];
        for (size_t k = track->n_notes; k-- > 0;)
            if (track->notes[k].node == id)
                track->notes[k] = track->notes[--track->n_notes];
        if (track->trouble.node == id)
            track->trouble.reason[0] = '\0';
        track->n_waiting_for = track->n_overdue = 0; /* the next look finds them again */
    }
}

void hf_rollout_engine_drop_node(struct hf_rollout_engine *engine, const char *name, const struct hf_rollout_now *now)
{
    uint32_t id = hf_fleet_find(&engine->fleet, name);

    if (id == HF_ID_NONE || !(engine->fleet.nodes[id].flags & HF_FLEET_HAS_NODE))
        return;
    if (!(engine->fleet.nodes[id].flags & HF_FLEET_HAS_EDGENODE))
        before_drop(engine, id);
    node_changed(engine, id, hf_fleet_drop_node(&engine->fleet, id, hf_rollout_node_seconds(now)), now);
}

static uint64_t version_of(const struct hf_rollout_engine *engine, uint32_t id)
{
    return id == HF_ID_NONE ? 0 : engine->fleet.nodes[id].version.shown;
}

int hf_rollout_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode, uint64_t decided_on,
                             const struct hf_rollout_now *now)
{
    uint32_t id = hf_fleet_find(&engine->fleet, hf_json_str_or(edgenode, "metadata.name", ""));
    bool is_new = id == HF_ID_NONE;
    uint64_t before = version_of(engine, id);
    bool had_turns = !is_new && engine->fleet.nodes[id].turns != NULL;
    int r = grow_tracks(engine);

    if (r == 0)
        r = hf_fleet_take_edgenode(&engine->fleet, edgenode, decided_on, hf_rollout_node_seconds(now), now->unix_ns,
                                   &id);
    if (r == -ESTALE)
        return 0;
    if (r < 0)
        return r;
    if (is_new)
        node_changed(engine, id, true, now);
    if (version_of(engine, id) != 0 && version_of(engine, id) < before)
        hf_rollout_rewind_node(engine, id, had_turns, now);
    else
        hf_rollout_settle_node(engine, id);
    for (size_t i = 0; i < engine->n_tracks; i++) {
        engine->tracks[i]->dirty = true;
        hf_rollout_track_notes(engine->tracks[i], id, edgenode);
    }
    engine->turns_dirty = true;
    return 0;
}

int hf_rollout_engine_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode,
                                    const struct hf_rollout_now *now)
{
    return hf_rollout_take_edgenode(engine, edgenode, HF_VERSION_FROM_SOURCE, now);
}

void hf_rollout_engine_drop_edgenode(struct hf_rollout_engine *engine, const char *name,
                                     const struct hf_rollout_now *now)
{
    uint32_t id = hf_fleet_find(&engine->fleet, name);

    if (id == HF_ID_NONE || !(engine->fleet.nodes[id].flags & HF_FLEET_HAS_EDGENODE))
        return;
    before_drop(engine, id);
    node_changed(engine, id, hf_fleet_drop_edgenode(&engine->fleet, id), now);
}

/* ---- EdgeUpdates ------------------------------------------------------------------------------------------------- */

static size_t place_of(const struct hf_rollout_engine *engine, const char *name)
{
    return hf_array_lower_bound(i, engine->n_tracks, strcmp(engine->tracks[i]->name, name) < 0);
}

static struct track *find_track(const struct hf_rollout_engine *engine, const char *name)
{
    size_t i = place_of(engine, name);

    return i < engine->n_tracks && strcmp(engine->tracks[i]->name, name) == 0 ? engine->tracks[i] : NULL;
}

static int add_track(struct hf_rollout_engine *engine, const char *name, struct track **ret_track)
{
    size_t i = place_of(engine, name);
    struct track *track = NULL;
    int r = hf_array_grow(engine->tracks, engine->n_tracks, engine->cap_tracks, HF_ROLLOUT_MAX_UPDATES);

    if (r == 0)
        r = hf_rollout_track_new(name, &track);
    if (r == 0)
        r = hf_rollout_track_grow(track, engine->fleet.n_slots);
    if (r < 0) {
        hf_rollout_track_free(track);
        return r;
    }
    memmove(engine->tracks + i + 1, engine->tracks + i, (engine->n_tracks - i) * sizeof(struct track *));
    engine->tracks[i] = track;
    engine->n_tracks++;
    *ret_track = track;
    return 0;
}

static void remove_track(struct hf_rollout_engine *engine, size_t i)
{
    hf_rollout_track_free(engine->tracks[i]);
    engine->n_tracks--;
    memmove(engine->tracks + i, engine->tracks + i + 1, (engine->n_tracks - i) * sizeof(struct track *));
    hf_rollout_touch(engine);
}

int hf_rollout_take_update(struct hf_rollout_engine *engine, json_t *update, uint64_t decided_on,
                           const struct hf_rollout_now *now)
{
    const char *name = hf_json_str_or(update, "metadata.name", "");
    struct track *track = find_track(engine, name);
    int r;

    if (name[0] == '\0' || strlen(name) > HF_API_MAX_NAME)
        return -EBADMSG;
    if (track == NULL) {
        r = add_track(engine, name, &track);
        if (r < 0 || track == NULL)
            return r < 0 ? r : -ENOMEM;
        track->watched_ns = now->mono_ns;
    }
    track->seen = track->seen || decided_on == HF_VERSION_FROM_SOURCE;
    r = hf_rollout_track_take(track, update, decided_on);
    if (r == -ESTALE)
        return 0;
    if (r < 0)
        return r;
    hf_rollout_status_seen(engine, track, now);
    hf_rollout_touch(engine);
    return 0;
}

int hf_rollout_engine_take_update(struct hf_rollout_engine *engine, json_t *update, const struct hf_rollout_now *now)
{
    return hf_rollout_take_update(engine, update, HF_VERSION_FROM_SOURCE, now);
}

void hf_rollout_engine_drop_update(struct hf_rollout_engine *engine, const char *name,
                                   HF_UNUSED const struct hf_rollout_now *now)
{
    size_t i = place_of(engine, name);

    if (find_track(engine, name) != NULL)
        remove_track(engine, i);
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

void hf_rollout_engine_list_begin(struct hf_rollout_engine *engine, enum hf_rollout_kind kind)
{
    const unsigned flag = kind == HF_ROLLOUT_NODES ? HF_FLEET_NODE_SEEN : HF_FLEET_EDGENODE_SEEN;

    engine->complete[kind] = false;
    engine->seeing_ns = 0;
    if (kind == HF_ROLLOUT_UPDATES)
        for (size_t i = 0; i < engine->n_tracks; i++)
            engine->tracks[i]->seen = false;
    else
        for (size_t i = 0; i < engine->fleet.n_slots; i++)
            engine->fleet.nodes[i].flags &= (uint8_t)~flag;
}

void hf_rollout_engine_list_end(struct hf_rollout_engine *engine, enum hf_rollout_kind kind,
                                const struct hf_rollout_now *now)
{
    for (size_t i = engine->n_tracks; i-- > 0 && kind == HF_ROLLOUT_UPDATES;)
        if (!engine->tracks[i]->seen)
            remove_track(engine, i);
    for (uint32_t id = 0; id < engine->fleet.n_slots && kind != HF_ROLLOUT_UPDATES; id++) {
        const struct hf_fleet_node *node = &engine->fleet.nodes[id];
        if (node->name == NULL)
            continue;
        if (kind == HF_ROLLOUT_NODES && !(node->flags & HF_FLEET_NODE_SEEN))
            hf_rollout_engine_drop_node(engine, node->name, now);
        else if (kind == HF_ROLLOUT_EDGENODES && !(node->flags & HF_FLEET_EDGENODE_SEEN))
            hf_rollout_engine_drop_edgenode(engine, node->name, now);
    }
    engine->complete[kind] = engine->watched[kind] = true;
    hf_rollout_touch(engine);
}

void hf_rollout_engine_watch(struct hf_rollout_engine *engine, enum hf_rollout_kind kind, bool works)
{
    engine->watched[kind] = works;
    engine->seeing_ns = works ? engine->seeing_ns : 0;
    for (size_t i = 0; i < engine->n_tracks && !works; i++)
        engine->tracks[i]->stepped_ns = 0; /* the time without sight is no soak */
    hf_rollout_touch(engine);
}

void hf_rollout_engine_lead(struct hf_rollout_engine *engine, uint64_t epoch, const struct hf_rollout_now *now)
{
    if (engine->epoch == epoch)
        return;
    engine->epoch = epoch;
    for (size_t i = 0; i < engine->n_tracks; i++) {
        struct track *track = engine->tracks[i];
        track->claimed = track->write.in_doubt = false;
        track->stepped_ns = track->write.retry_ns = track->write.sent_ns = track->write.wrote_ns = 0;
        track->watched_ns = now->mono_ns;
    }
    hf_rollout_touch(engine);
}

void hf_rollout_engine_allow_collect(struct hf_rollout_engine *engine, bool allow)
{
    engine->allow_collect = allow;
}
