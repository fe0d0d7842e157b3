/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout/counts.h"

#include <assert.h>

#include "api/update/phase.h"

/* Phases that a node reaches only after an admission, whatever the selectors and waves say now. */
bool hf_rollout_has_begun(int phase)
{
    switch (phase) {
    case HF_PHASE_FETCHING:
    case HF_PHASE_PATCHING:
    case HF_PHASE_VERIFIED:
    case HF_PHASE_SWAPPING:
    case HF_PHASE_PROBATION:
    case HF_PHASE_COMMITTED:
    case HF_PHASE_ROLLING_BACK:
    case HF_PHASE_ROLLED_BACK:
        return true;
    default:
        return false;
    }
}

/* What the node's own report decides for good; HF_CLASS_COUNT if the node is still on its way. */
static enum hf_rollout_class verdict(const struct hf_rollout_facts *facts)
{
    if (facts->has_entry && facts->failed)
        return HF_CLASS_FAILED;
    switch (facts->has_entry ? facts->phase : HF_PHASE_IDLE) {
    case HF_PHASE_COMMITTED:
        return HF_CLASS_UPDATED;
    case HF_PHASE_INCOMPATIBLE:
        return HF_CLASS_INCOMPATIBLE;
    default:
        return HF_CLASS_COUNT;
    }
}

/* The last report decides: since then, the node may have finished without a link to say so. */
static bool is_overdue(const struct hf_rollout_facts *facts, const struct hf_rollout_limits *limits)
{
    return limits->progress_deadline_ns > 0 && facts->heard_ever && facts->working_ns > facts->silent_ns &&
           facts->working_ns - facts->silent_ns > limits->progress_deadline_ns;
}

enum hf_rollout_class hf_rollout_classify(const struct hf_rollout_facts *facts, const struct hf_rollout_limits *limits)
{
    enum hf_rollout_class class_ = verdict(facts);

    if (!facts->selected)
        return HF_CLASS_OUTSIDE;
    if (facts->superseded)
        return HF_CLASS_SUPERSEDED;
    if (!facts->reached && !(facts->has_entry && hf_rollout_has_begun(facts->phase)))
        return HF_CLASS_OUTSIDE;
    if (class_ != HF_CLASS_COUNT)
        return class_;
    if (facts->was_updated)
        return HF_CLASS_UPDATED;
    if (facts->silent_ns > limits->unknown_after_ns)
        return HF_CLASS_UNKNOWN;
    if (facts->has_entry && (facts->wait == HF_FLEET_WAIT_HELD || facts->wait == HF_FLEET_HELD_BACK))
        return HF_CLASS_HELD;
    if (facts->has_entry && facts->wait == HF_FLEET_WAIT_TURN)
        return HF_CLASS_TURN;
    if (facts->has_entry && facts->wait == HF_FLEET_WAIT_EXCUSED)
        return HF_CLASS_EXCUSED;
    if (is_overdue(facts, limits))
        return HF_CLASS_OVERDUE;
    return HF_CLASS_UPDATING;
}

/* The sums of one class: which counters it raises. */
static void add_class(struct hf_rollout_counts *counts, enum hf_rollout_class class_)
{
    counts->admitted++;
    switch (class_) {
    case HF_CLASS_UPDATED:
        counts->updated++;
        break;
    case HF_CLASS_OVERDUE:
    case HF_CLASS_FAILED:
        counts->failed++;
        counts->overdue += class_ == HF_CLASS_OVERDUE;
        break;
    case HF_CLASS_INCOMPATIBLE:
        counts->incompatible++;
        break;
    case HF_CLASS_HELD:
    case HF_CLASS_UNKNOWN:
        counts->unknown++;
        counts->held += class_ == HF_CLASS_HELD;
        break;
    default:
        counts->updating++;
        counts->turn += class_ == HF_CLASS_TURN;
        break;
    }
}

/* The same for the nodes that the present stage added. */
static void add_to_stage(struct hf_rollout_counts *counts, enum hf_rollout_class class_)
{
    counts->stage_nodes++;
    counts->stage_updated += class_ == HF_CLASS_UPDATED;
    counts->stage_failed += class_ == HF_CLASS_FAILED || class_ == HF_CLASS_OVERDUE;
    counts->stage_parked += class_ == HF_CLASS_UNKNOWN || class_ == HF_CLASS_HELD;
    counts->stage_exempt += class_ == HF_CLASS_INCOMPATIBLE || class_ == HF_CLASS_SUPERSEDED;
}

/* Each node counts once, and what is a part of another sum is not more than that. */
static void check(HF_UNUSED const struct hf_rollout_counts *c)
{
    assert(c->admitted == c->updated + c->failed + c->incompatible + c->unknown + c->updating);
    assert(c->admitted + c->superseded <= c->selected);
    assert(c->overdue <= c->failed && c->held <= c->unknown && c->turn <= c->updating && c->open <= c->updating);
    assert(c->stage_updated + c->stage_failed + c->stage_parked + c->stage_exempt <= c->stage_nodes);
    assert(c->stage_nodes <= c->selected && c->canary_failed <= c->canary_open && c->canary_open <= c->canaries);
}

void hf_rollout_count(struct hf_rollout_counts *counts, enum hf_rollout_class class_,
                      const struct hf_rollout_place *place)
{
    bool is_done = class_ == HF_CLASS_UPDATED || class_ == HF_CLASS_INCOMPATIBLE || class_ == HF_CLASS_SUPERSEDED;
    uint32_t updating = counts->updating;

    counts->selected++;
    counts->canaries += place->is_canary;
    counts->canary_open += place->is_canary && !is_done;
    counts->canary_failed += place->is_canary && (class_ == HF_CLASS_FAILED || class_ == HF_CLASS_OVERDUE);
    if (place->is_of_stage)
        add_to_stage(counts, class_);
    if (class_ == HF_CLASS_SUPERSEDED)
        counts->superseded++;
    else if (class_ != HF_CLASS_OUTSIDE)
        add_class(counts, class_);
    counts->open += place->is_reached && counts->updating > updating;
    check(counts);
}
