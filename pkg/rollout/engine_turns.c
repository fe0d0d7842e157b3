/* SPDX-License-Identifier: Apache-2.0 */
/* Turns: which nodes of a group may swap now (strategy.disruption), as entries in spec.turns of their EdgeNodes.
 *
 * In each plan: repeat writes of unknown outcome; take turns back that are over; give turns to waiting nodes where
 * the group has room. hf_rollout_survey_turns() counts the turns, and finds the silent nodes that hold up their
 * group. A node is busy while it has a turn, a write about its turns is on its way, or it reports that it is between
 * swap and verdict: uncertainty always means busy.
 *
 * A write of unknown outcome is repeated as it was, with the same resourceVersion, so that it succeeds at most once.
 * A silent node keeps its turn, because nobody knows what it does; the status names it, and an operator may free the
 * turn. It then gets none before it is heard again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/edgenode.h"
#include "api/update/phase.h"
#include "base/array.h"
#include "rollout/engine_impl.h"
#include "rollout/turns.h"

/* The interval is the node's own word: a long one may not keep an operator from freeing its turn. */
enum { LONGEST_PATIENCE_S = 30 * 60 };

static const struct track *track_of(const struct hf_rollout_engine *engine, uint64_t digest)
{
    for (size_t i = 0; i < engine->n_tracks; i++)
        if (engine->tracks[i]->update != NULL && engine->tracks[i]->digest == digest)
            return engine->tracks[i];
    return NULL;
}

static uint64_t silent_ns(const struct hf_fleet_node *node, const struct hf_rollout_now *now)
{
    uint32_t now_s = hf_rollout_node_seconds(now);

    return now_s > node->heard_s ? (now_s - node->heard_s) * HF_NS_PER_S : 0;
}

static bool is_silent(const struct hf_fleet_node *node, const struct hf_rollout_now *now)
{
    uint64_t patience = hf_edgenode_silent_after_ns(node->interval_s * HF_NS_PER_S);

    return silent_ns(node, now) > HF_MIN(patience, LONGEST_PATIENCE_S * HF_NS_PER_S);
}

/* ---- silent nodes that hold up their groups ---------------------------------------------------------------------- */

static bool is_in_swap(const struct hf_fleet_entry *entry)
{
    return entry->phase == HF_PHASE_SWAPPING || entry->phase == HF_PHASE_PROBATION ||
           entry->phase == HF_PHASE_ROLLING_BACK;
}

static void add_holder(struct track *track, const struct hf_fleet_node *node, uint32_t id,
                       const struct hf_rollout_now *now)
{
    size_t n = track->n_waiting_for;

    if (silent_ns(node, now) > track->limits.unknown_after_ns && n < HF_ROLLOUT_WAITING_FOR &&
        (n == 0 || track->waiting_for[n - 1] != id))
        track->waiting_for[track->n_waiting_for++] = id;
}

/* Names the node in the rollout whose turn it holds. */
static bool name_as_holder(struct hf_rollout_engine *engine, uint32_t id, uint64_t digest,
                           const struct hf_rollout_now *now)
{
    struct track *track = (struct track *)(uintptr_t)track_of(engine, digest);

    if (track == NULL || track->groups == NULL)
        return false;
    add_holder(track, &engine->fleet.nodes[id], id, now);
    return true;
}

/* Names the node in the rollouts of this release name, or of every name if `release` is 0, in which nodes wait. */
static bool name_as_obstacle(struct hf_rollout_engine *engine, uint32_t id, uint64_t release,
                             const struct hf_rollout_now *now)
{
    bool found = false;

    for (size_t i = 0; i < engine->n_tracks; i++) {
        struct track *track = engine->tracks[i];
        if (track->update == NULL || track->groups == NULL || (release != 0 && track->release != release))
            continue;
        found = true;
        if (track->counts.turn > 0)
            add_holder(track, &engine->fleet.nodes[id], id, now);
    }
    return found;
}

/* A silent node keeps its group waiting with a turn of the present release, with one of an earlier release of the same
 * name, which no EdgeUpdate has any more, or without a turn if it has begun to swap. */
static void name_silent(struct hf_rollout_engine *engine, uint32_t id, const struct hf_rollout_now *now)
{
    const struct hf_fleet_node *node = &engine->fleet.nodes[id];
    bool holds = node->turns != NULL && node->turns->n > 0, named = false;

    for (size_t i = 0; holds && i < node->turns->n; i++) {
        const struct hf_fleet_turn *turn = &node->turns->turns[i];
        if (name_as_holder(engine, id, hf_fleet_digest_key(turn->digest), now) ||
            name_as_obstacle(engine, id, hf_fleet_release_key(turn->release), now))
            named = true;
    }
    for (size_t i = 0; i < node->n_entries; i++) {
        const struct hf_fleet_entry *entry = &node->entries[i];
        if (!is_in_swap(entry) || entry->freed)
            continue;
        holds = true;
        named = name_as_obstacle(engine, id, entry->release, now) || named;
    }
    if (holds && !named) /* no EdgeUpdate has the release name any more */
        (void)name_as_obstacle(engine, id, 0, now);
}

static void count_turns(struct hf_rollout_engine *engine, const struct hf_fleet_node *node)
{
    for (size_t i = 0; node->turns != NULL && i < node->turns->n; i++) {
        struct track *track =
            (struct track *)(uintptr_t)track_of(engine, hf_fleet_digest_key(node->turns->turns[i].digest));
        if (track != NULL)
            track->n_turns++;
    }
}

static void tell_holder(struct hf_rollout_engine *engine, struct track *track)
{
    const struct hf_fleet_node *node = track->n_waiting_for > 0 ? &engine->fleet.nodes[track->waiting_for[0]] : NULL;

    if (node != NULL && !track->turn_held && node->turns != NULL)
        hf_rollout_event(engine, track, "TurnHeld", true,
                         "node %s holds a turn and is silent, so its group waits; holdfast turn free %s frees the turn",
                         node->name, node->name);
    else if (node != NULL && !track->turn_held) /* there is no turn that the command could free */
        hf_rollout_event(engine, track, "TurnHeld", true,
                         "node %s has begun to swap and is silent, so its group waits; the annotation %s: <digest> on "
                         "its EdgeNode ends the wait",
                         node->name, HF_FLEET_FREE_ANNOTATION);
    track->turn_held = node != NULL;
}

void hf_rollout_survey_turns(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    uint64_t least_ns = UINT64_MAX;

    for (size_t i = 0; i < engine->n_tracks; i++) {
        engine->tracks[i]->n_turns = (unsigned)(engine->tracks[i]->n_waiting_for = 0);
        if (engine->tracks[i]->update != NULL)
            least_ns = HF_MIN(least_ns, engine->tracks[i]->limits.unknown_after_ns);
    }
    for (uint32_t id = 0; id < engine->fleet.n_slots; id++) {
        const struct hf_fleet_node *node = &engine->fleet.nodes[id];
        count_turns(engine, node);
        if (silent_ns(node, now) > least_ns)
            name_silent(engine, id, now);
    }
    for (size_t i = 0; i < engine->n_tracks; i++)
        tell_holder(engine, engine->tracks[i]);
}

/* ---- taking turns back ------------------------------------------------------------------------------------------- */

/* A change of the nodeSelector may leave the holder of a turn out, or to a later stage. */
static bool is_selected(const struct track *track, uint32_t id)
{
    return id >= track->prepared || (track->slots[id] & HF_ENGINE_SELECTED) != 0;
}

static bool is_of_later_stage(const struct track *track, uint32_t id)
{
    return track->claimed && id < track->prepared && is_selected(track, id) && !hf_rollout_is_reached(track, id);
}

static bool is_over(const struct hf_rollout_engine *engine, uint32_t id, const struct hf_fleet_turn *turn,
                    const struct hf_rollout_now *now)
{
    const struct hf_fleet_node *node = &engine->fleet.nodes[id];
    uint64_t digest = hf_fleet_digest_key(turn->digest), release = hf_fleet_release_key(turn->release);
    const struct hf_fleet_entry *entry = hf_fleet_entry(node, digest);
    const struct track *track = track_of(engine, digest);
    struct hf_turn_facts facts = {
        .has_entry = entry != NULL,
        .phase = entry != NULL ? entry->phase : 0,
        .waits_for_site = entry != NULL && (entry->wait == HF_FLEET_WAIT_HELD || entry->wait == HF_FLEET_WAIT_EXCUSED ||
                                            entry->wait == HF_FLEET_HELD_BACK),
        .moved_on = hf_fleet_moved_on(node, release, digest),
        .release_wanted = track != NULL && is_selected(track, id),
        .not_admitted = track != NULL && is_of_later_stage(track, id) && entry != NULL &&
                        entry->wait == HF_FLEET_WAIT_EXCUSED && !is_in_swap(entry),
        .is_silent = is_silent(node, now),
        .freed = turn->freed,
    };

    return hf_turn_is_over(&facts);
}

static bool spend(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    unsigned most = engine->params.turns_per_s;

    if (!hf_rollout_has_room(engine) || !hf_bucket_take(&engine->turns, most, HF_NS_PER_S / most, now->mono_ns)) {
        hf_rollout_due(engine, now->mono_ns + HF_NS_PER_S / 10);
        engine->turns_dirty = true;
        return false;
    }
    return true;
}

/* True if no write about the turns of this node may be planned: one is on its way, or has an unknown outcome, or the
 * server refused one just now. */
static bool is_writing(const struct hf_rollout_engine *engine, uint32_t id, const struct hf_rollout_now *now)
{
    return (engine->fleet.nodes[id].flags & HF_FLEET_WRITING) || hf_rollout_must_wait(engine, id, now);
}

static int write_turns(struct hf_rollout_engine *engine, uint32_t id, const struct hf_fleet_turns *turns)
{
    json_t *body = hf_rollout_turns_make(&engine->fleet.nodes[id], engine->epoch, turns);

    return body == NULL ? -ENOMEM : hf_rollout_write_node(engine, HF_ROLLOUT_TURNS, id, body, turns);
}

static int take_back(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    for (uint32_t id = 0; id < engine->fleet.n_slots; id++) {
        const struct hf_fleet_node *node = &engine->fleet.nodes[id];
        struct hf_fleet_turns kept = {0};
        if (node->turns == NULL || is_writing(engine, id, now) || node->version.shown == 0 ||
            node->epoch > engine->epoch)
            continue;
        for (size_t i = 0; i < node->turns->n; i++)
            if (!is_over(engine, id, &node->turns->turns[i], now))
                kept.turns[kept.n++] = node->turns->turns[i];
        if (kept.n == node->turns->n)
            continue;
        if (!spend(engine, now))
            return 0;
        int r = write_turns(engine, id, &kept);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A write of unknown outcome is sent again as it was, with the same resourceVersion: it can succeed once. A turn that
 * nobody wants to give any more is not sent again; it counts as given until the node's object changes, or until it is
 * certain that the server did not do the write. */
static int repeat(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    for (size_t i = 0; i < engine->n_writes; i++) {
        struct node_write *write = &engine->writes[i];
        const struct hf_fleet_node *node = &engine->fleet.nodes[write->node];
        if (write->id != 0 || write->kind != HF_ROLLOUT_TURNS || write->version != node->version.shown)
            continue;
        if (now->mono_ns < write->retry_ns) {
            hf_rollout_due(engine, write->retry_ns);
            continue;
        }
        bool wanted = true;
        for (size_t k = 0; k < write->turns.n && wanted; k++) {
            uint64_t digest = hf_fleet_digest_key(write->turns.turns[k].digest);
            const struct track *track = track_of(engine, digest);
            wanted = hf_fleet_has_turn(node, digest) || (track != NULL && track->claimed && track->next.grants &&
                                                         track->classes[write->node] == HF_CLASS_TURN);
        }
        if (!wanted || node->epoch > engine->epoch || !spend(engine, now))
            continue;
        json_t *body = hf_rollout_turns_make(node, engine->epoch, &write->turns);
        uint64_t id = body == NULL ? 0 : hf_rollout_emit(engine, HF_ROLLOUT_TURNS, node->name, body, true);
        if (id == 0)
            return -ENOMEM;
        write->id = id;
    }
    return 0;
}

/* ---- giving turns ------------------------------------------------------------------------------------------------ */

struct waiting {
    struct hf_turn_candidate *items;
    size_t n, cap;
};

/* A silent node whose turn an operator has freed gets none before it is heard again: it would be the first in line. */
static bool may_be_given(const struct track *track, const struct hf_fleet_node *node, uint32_t id,
                         const struct hf_rollout_now *now)
{
    const struct hf_fleet_entry *entry = hf_fleet_entry(node, track->digest);

    return track->classes[id] == HF_CLASS_TURN && hf_rollout_is_reached(track, id) && node->version.shown != 0 &&
           (node->flags & HF_FLEET_HAS_EDGENODE) && !hf_fleet_has_turn(node, track->digest) &&
           (node->turns == NULL || node->turns->n < HF_FLEET_TURNS) &&
           silent_ns(node, now) <= track->limits.unknown_after_ns &&
           !(entry != NULL && entry->freed && is_silent(node, now));
}

static int find_waiting(const struct hf_rollout_engine *engine, const struct track *track,
                        const struct hf_rollout_now *now, struct waiting *waiting)
{
    waiting->n = 0;
    for (uint32_t id = 0; id < engine->fleet.n_slots; id++) {
        if (!may_be_given(track, &engine->fleet.nodes[id], id, now))
            continue;
        if (hf_array_grow(waiting->items, waiting->n, waiting->cap, HF_ARRAY_ANY) < 0)
            return -ENOMEM;
        waiting->items[waiting->n++] = (struct hf_turn_candidate){
            .node = id,
            .group = track->groups[id],
            .since_s = track->since[id],
            .slot = track->slots[id] & HF_ENGINE_SLOT_MASK,
        };
    }
    hf_turn_sort(waiting->items, waiting->n);
    return 0;
}

/* True if a leader might give this node a turn of the same kind of group: it is on its way with any such release. */
static bool is_unfinished(const struct hf_rollout_engine *engine, const struct track *track, uint32_t id)
{
    for (size_t i = 0; i < engine->n_tracks; i++) {
        const struct track *other = engine->tracks[i];
        if (other->update == NULL || other->groups == NULL ||
            strcmp(other->update->group_by, track->update->group_by) != 0)
            continue;
        enum hf_rollout_class class_ = (enum hf_rollout_class)other->classes[id];
        if (class_ == HF_CLASS_UPDATING || class_ == HF_CLASS_OVERDUE || class_ == HF_CLASS_TURN ||
            class_ == HF_CLASS_EXCUSED || class_ == HF_CLASS_HELD || class_ == HF_CLASS_UNKNOWN)
            return true;
    }
    return false;
}

/* True if the node is, or may be, between swap and verdict: it has a turn, a write about its turns is on its way, or it
 * says so. What a silent node said last does not count where an operator has freed its turn. */
static bool is_busy(const struct hf_fleet_node *node, const struct hf_rollout_now *now)
{
    bool silent = is_silent(node, now);

    if ((node->turns != NULL && node->turns->n > 0) || (node->flags & HF_FLEET_WRITING))
        return true;
    for (size_t i = 0; i < node->n_entries; i++)
        if (is_in_swap(&node->entries[i]) && !(silent && node->entries[i].freed))
            return true;
    return false;
}

/* Looks at all nodes of the groups in which somebody waits, and writes our epoch where it is missing. */
static int survey_groups(struct hf_rollout_engine *engine, const struct track *track, struct hf_turn_group *groups,
                         size_t n_groups, const struct hf_rollout_now *now)
{
    for (uint32_t id = 0; id < engine->fleet.n_slots; id++) {
        const struct hf_fleet_node *node = &engine->fleet.nodes[id];
        struct hf_turn_group *group = node->name == NULL ? NULL : hf_turn_group(groups, n_groups, track->groups[id]);
        if (group == NULL)
            continue;
        group->size += (track->slots[id] & HF_ENGINE_SELECTED) != 0;
        group->busy += is_busy(node, now);
        if (!(node->flags & HF_FLEET_HAS_EDGENODE) || node->epoch == engine->epoch || node->version.shown == 0 ||
            !is_unfinished(engine, track, id))
            continue;
        group->fenced = false;
        if (node->epoch > engine->epoch || is_writing(engine, id, now) || !spend(engine, now))
            continue;
        int r = write_turns(engine, id, node->turns);
        if (r < 0)
            return r;
    }
    return 0;
}

static int give(struct hf_rollout_engine *engine, const struct track *track, uint32_t id,
                const struct hf_rollout_now *now)
{
    const struct hf_fleet_node *node = &engine->fleet.nodes[id];
    struct hf_fleet_turns turns = {0};
    struct hf_fleet_turn *turn;

    if (!spend(engine, now))
        return 0;
    for (size_t i = 0; node->turns != NULL && i < node->turns->n; i++)
        if (strcmp(node->turns->turns[i].release, track->update->release.name) != 0)
            turns.turns[turns.n++] = node->turns->turns[i];
    turn = &turns.turns[turns.n++];
    memcpy(turn->release, track->update->release.name, strlen(track->update->release.name) + 1);
    memcpy(turn->digest, track->update->release.digest, sizeof(turn->digest));
    return write_turns(engine, id, &turns);
}

static int give_turns(struct hf_rollout_engine *engine, const struct track *track, struct waiting *waiting,
                      const struct hf_rollout_now *now)
{
    _cleanup_(hf_freep) struct hf_turn_group *groups = NULL;
    size_t n_groups;
    int r = find_waiting(engine, track, now, waiting);

    if (r < 0 || waiting->n == 0)
        return r;
    groups = calloc(waiting->n, sizeof(*groups));
    if (groups == NULL)
        return -ENOMEM;
    n_groups = hf_turn_groups(waiting->items, waiting->n, groups);
    r = survey_groups(engine, track, groups, n_groups, now);
    for (size_t i = 0; i < waiting->n && r == 0; i++) {
        struct hf_turn_group *group = hf_turn_group(groups, n_groups, waiting->items[i].group);
        uint32_t id = waiting->items[i].node;
        if (is_writing(engine, id, now))
            continue;
        if (hf_turn_may(group, &track->update->max_unavailable))
            r = give(engine, track, id, now);
    }
    return r;
}

int hf_rollout_plan_turns(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    struct waiting waiting = {0};
    int r;

    if (!engine->turns_dirty && now->mono_ns < engine->turns_looked_ns + HF_ENGINE_LOOK_NS)
        return 0;
    engine->turns_dirty = false;
    engine->turns_looked_ns = now->mono_ns;
    hf_rollout_end_doubts(engine, now);
    r = repeat(engine, now);
    if (r == 0)
        r = take_back(engine, now);
    for (size_t i = 0; i < engine->n_tracks && r == 0; i++) {
        const struct track *track = engine->tracks[i];
        if (track->update != NULL && track->groups != NULL && track->claimed && track->next.grants &&
            track->write.id == 0)
            r = give_turns(engine, track, &waiting, now);
    }
    free(waiting.items);
    return r;
}
