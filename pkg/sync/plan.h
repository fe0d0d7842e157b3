/* SPDX-License-Identifier: Apache-2.0 */
/* sync/plan.h - selects, from all EdgeUpdates, the releases that this node must install. Pure.
 *
 * If several objects with the same release name select the node, the admitted object with the highest sequence wins.
 * When the controller withdraws an admission, a release that this node has begun or committed still counts as admitted
 * in this choice. Therefore a halted rollout stops only nodes that have not begun, and never returns a node to an older
 * release. An object whose signatures the node does not accept never takes the place of an object whose signatures the
 * node accepts. */
#pragma once

#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "api/update/update.h"
#include "sync/stale.h"

/* maximum number of EdgeUpdates that select one node; the plan counts the EdgeUpdates beyond that, but ignores them */
enum { HF_PLAN_MAX = 1000 };

struct hf_plan_params {
    struct hf_edgeupdate *const *updates; /* the EdgeUpdates to select from, in any order */
    size_t n;
    const char *node_name;
    const json_t *node_labels;
    enum hf_staleness staleness;
    enum hf_on_expiry on_expiry;
    bool held;
    bool writes_used_up; /* the policy's budget of writes is used up */
    enum hf_link link;   /* whether the policy allows bulk transfers */
    /* Returns true if this node has begun or committed the release with this digest. May be NULL. */
    bool (*begun)(void *arg, const char *release_name, const char *digest);
    /* Returns true if the node has a turn for the release with this digest. The plan calls this function only for
     * updates with strategy.disruption. NULL means that the node has no turns. */
    bool (*has_turn)(void *arg, const char *release_name, const char *digest);
    /* Returns true if the node accepts the signatures of the update. The plan calls this function only if several
     * updates with the same release name select the node, and then for each of these updates. NULL means that the node
     * accepts all signatures. */
    bool (*accepts)(void *arg, const struct hf_edgeupdate *update);
    void *arg;
};

enum hf_plan_why {
    HF_PLAN_SUPERSEDED, /* none of the reasons below; usually the chosen update has a higher sequence */
    /* the sequence of the update is higher than that of the chosen one, but this node is not admitted yet */
    HF_PLAN_NOT_ADMITTED_YET,
    /* the sequence of the update is at least that of the chosen one, but the node does not accept the update's
     * signatures */
    HF_PLAN_NOT_ACCEPTED,
};

/* An EdgeUpdate that selects this node but gives way to another EdgeUpdate with the same release name. */
struct hf_plan_note {
    const struct hf_edgeupdate *update;
    enum hf_plan_why why;
    const struct hf_edgeupdate *chosen; /* the EdgeUpdate that this node takes instead of `update` */
};

struct hf_plan {
    struct hf_desired desired[HF_PLAN_MAX];
    size_t n;
    struct hf_plan_note notes[HF_PLAN_MAX];
    size_t n_notes;
    size_t n_ignored; /* number of EdgeUpdates beyond HF_PLAN_MAX that select the node */
};

/* Makes the plan, which borrows from params->updates. The releases in the plan are sorted by name, in byte order. */
void hf_plan_make(const struct hf_plan_params *params, struct hf_plan *ret_plan);
