/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "rollout/engine_impl.h"

/* Other EdgeUpdates of the same release name that may take nodes over. */
struct rivals {
    const struct track *tracks[HF_ROLLOUT_MAX_UPDATES];
    size_t n;
};

static void find_rivals(const struct hf_rollout_engine *engine, const struct track *track, struct rivals *ret_rivals)
{
    ret_rivals->n = 0;
    for (size_t i = 0; i < engine->n_tracks; i++) {
        const struct track *other = engine->tracks[i];
        if (other == track || other->update == NULL || other->release != track->release ||
            other->digest == track->digest)
            continue;
        uint64_t ours = track->update->release.sequence, theirs = other->update->release.sequence;
        if (theirs >= ours)
            ret_rivals->tracks[ret_rivals->n++] = other;
    }
}

static bool has_begun(const struct hf_fleet_node *node, uint64_t digest)
{
    const struct hf_fleet_entry *entry = hf_fleet_entry(node, digest);

    return entry != NULL && hf_rollout_has_begun(entry->phase);
}

static bool admits(const struct hf_edgeupdate *update, uint16_t slot)
{
    if (!update->has_strategy)
        return true;
    return hf_admission_is_for(update) && ((update->admission_canary && (slot & HF_ENGINE_CANARY)) ||
                                           (slot & HF_ENGINE_SLOT_MASK) < update->admission_cutoff);
}

/* The same decision as a node's own plan (sync/plan.h): the admitted object with the highest sequence wins; with equal
 * sequences the one that the node has begun, else the first name. But a node leaves out an object whose signatures it
 * does not accept, and only the node knows that. So a rival takes the node only when the node reports the digest of the
 * rival: an object that no node installs must not excuse a node from this rollout. */
static bool is_taken(const struct rivals *rivals, const struct track *track, const struct hf_fleet_node *node,
                     uint32_t id)
{
    bool begun = has_begun(node, track->digest);

    for (size_t i = 0; i < rivals->n; i++) {
        const struct track *other = rivals->tracks[i];
        const struct hf_edgeupdate *update = other->update;
        bool equal = update->release.sequence == track->update->release.sequence;
        uint16_t slot = other->slots[id];
        if (!(slot & HF_ENGINE_SELECTED) || hf_fleet_entry(node, other->digest) == NULL)
            continue;
        if (has_begun(node, other->digest))
            return true;
        if (!begun && admits(update, slot) && (!equal || strcmp(other->name, track->name) < 0))
            return true;
    }
    return false;
}

/* What a node does, as far as the time since its last change matters. */
static int activity(enum hf_rollout_class class_)
{
    switch (class_) {
    case HF_CLASS_UPDATING:
    case HF_CLASS_OVERDUE:
        return 1;
    case HF_CLASS_TURN:
        return 2;
    case HF_CLASS_EXCUSED:
        return 3;
    case HF_CLASS_HELD:
    case HF_CLASS_UNKNOWN:
        return 4;
    default:
        return 0;
    }
}

static uint64_t seconds_between(uint32_t from, uint32_t to)
{
    return to > from ? (to - from) * HF_NS_PER_S : 0;
}

struct stage {
    bool canary;
    unsigned from, to; /* slots that the stage added */
};

static struct stage stage_of(const struct track *track)
{
    const struct hf_rollout_state *state = &track->state;

    return (struct stage){.canary = state->cutoff == 0, .from = state->slots_before, .to = state->slots};
}

static bool is_of_stage(const struct stage *stage, uint16_t slot)
{
    unsigned number = slot & HF_ENGINE_SLOT_MASK;

    if (stage->canary)
        return (slot & HF_ENGINE_CANARY) != 0;
    return !(slot & HF_ENGINE_CANARY) && number >= stage->from && number < stage->to;
}

bool hf_rollout_is_reached(const struct track *track, uint32_t id)
{
    uint16_t slot = track->slots[id];

    return !track->update->has_strategy || (slot & HF_ENGINE_CANARY) ||
           (slot & HF_ENGINE_SLOT_MASK) < track->state.slots;
}

/* A node that was updated and works again repairs the installed file, as long as it waits for nothing that a repair
 * does not wait for (update/rules/gate.h). Otherwise it is a new node with an old name, or its site went back. */
static bool repairs(enum hf_rollout_class before, const struct hf_fleet_entry *entry)
{
    return before == HF_CLASS_UPDATED && entry != NULL && entry->wait != HF_FLEET_WAIT_TURN &&
           entry->wait != HF_FLEET_WAIT_EXCUSED && entry->wait != HF_FLEET_HELD_BACK;
}

/* What the node waits for. A node that has its turn and still asks for it waits for nothing: its time counts. */
static enum hf_fleet_wait wait_of(const struct hf_fleet_node *node, const struct hf_fleet_entry *entry)
{
    if (entry == NULL || (entry->wait == HF_FLEET_WAIT_TURN && hf_fleet_has_turn(node, entry->digest)))
        return HF_FLEET_NO_WAIT;
    return (enum hf_fleet_wait)entry->wait;
}

static enum hf_rollout_class class_of(struct track *track, const struct hf_fleet_node *node, uint32_t id, bool taken,
                                      uint32_t now_s)
{
    const struct hf_fleet_entry *entry = hf_fleet_entry(node, track->digest);
    struct hf_rollout_facts facts = {
        .selected = true,
        .reached = hf_rollout_is_reached(track, id),
        .superseded = taken,
        .has_entry = entry != NULL,
        .phase = entry != NULL ? entry->phase : 0,
        .failed = entry != NULL && entry->failed,
        .wait = wait_of(node, entry),
        .heard_ever = (node->flags & HF_FLEET_HAS_STATUS) != 0,
        .silent_ns = seconds_between(node->heard_s, now_s),
    };
    enum hf_rollout_class before = (enum hf_rollout_class)track->classes[id], now;

    facts.was_updated = repairs(before, entry);
    /* A node that begins to work now has worked for no time. */
    facts.working_ns = activity(before) == 1 ? seconds_between(track->since[id], now_s) : 0;
    now = hf_rollout_classify(&facts, &track->limits);
    if (activity(now) != activity(before))
        track->since[id] = now_s;
    track->classes[id] = (uint8_t)now;
    return now;
}

void hf_rollout_count_nodes(const struct hf_rollout_engine *engine, struct track *track, uint32_t now_s)
{
    struct stage stage = stage_of(track);
    struct hf_rollout_counts counts = {0};
    struct rivals rivals;

    find_rivals(engine, track, &rivals);
    track->n_overdue = 0;
    for (uint32_t id = 0; id < engine->fleet.n_slots; id++) {
        const struct hf_fleet_node *node = &engine->fleet.nodes[id];
        if (!(track->slots[id] & HF_ENGINE_SELECTED)) {
            track->classes[id] = HF_CLASS_OUTSIDE;
            continue;
        }
        bool taken = rivals.n > 0 && is_taken(&rivals, track, node, id);
        enum hf_rollout_class class_ = class_of(track, node, id, taken, now_s);
        struct hf_rollout_place place = {.is_canary = (track->slots[id] & HF_ENGINE_CANARY) != 0,
                                         .is_reached = hf_rollout_is_reached(track, id),
                                         .is_of_stage = is_of_stage(&stage, track->slots[id])};
        hf_rollout_count(&counts, class_, &place);
        if (class_ == HF_CLASS_OVERDUE && track->n_overdue < HF_LEN(track->overdue))
            track->overdue[track->n_overdue++] = id;
        counts.ungrouped += track->groups != NULL && track->groups[id] == 0;
    }
    track->counts = counts;
}

int hf_rollout_fit(const struct hf_rollout_engine *engine, const struct track *track, struct hf_rollout_state *state)
{
    struct hf_rollout_ranks *ranks = calloc(1, sizeof(*ranks));

    if (ranks == NULL)
        return -ENOMEM;
    for (uint32_t id = 0; id < engine->fleet.n_slots; id++) {
        uint16_t slot = track->slots[id];
        if (!(slot & HF_ENGINE_SELECTED))
            continue;
        ranks->selected++;
        if (slot & HF_ENGINE_CANARY)
            ranks->canaries++;
        else
            ranks->nodes[slot & HF_ENGINE_SLOT_MASK]++;
    }
    hf_rollout_fit_wave(state, ranks);
    free(ranks);
    return 0;
}
