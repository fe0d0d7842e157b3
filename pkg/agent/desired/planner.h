/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/planner.h - computes from this node's objects which releases the update engine has to install. Threads:
 * loop thread only. */
#pragma once

#include "agent/env.h"
#include "agent/follow/objects.h"
#include "agent/trust/release_trust.h"
#include "api/edgenode.h"
#include "base/strmap.h"
#include "sync/plan.h"
#include "sync/readiness.h"
#include "update/engine.h"

struct hf_planner {
    const struct hf_agent_env *env;
    /* the last plan; its pointers into the objects are valid only during hf_planner_run() */
    struct hf_plan *plan;
    struct hf_strmap desired_names; /* names of the releases that the last plan wants */
    /* set of "<name of an object>/<name of the object that the plan uses instead>", for each pair that the planner has
     * logged */
    struct hf_strmap noted;
    struct hf_release_trust trust;         /* verdicts about the signatures of EdgeUpdates with the same release name */
    char superseded[HF_READINESS_NAMES];   /* names of the superseded objects, for the status */
    char not_admitted[HF_READINESS_NAMES]; /* names of the objects that will win once this node is admitted */
    struct hf_strmap not_accepted; /* set of the names of the objects that hf_planner_each_not_accepted() visits */
    /* why the node ignores some EdgeUpdates, or why the update engine did not take the last plan; "" if neither
     * happened */
    char failure[HF_READINESS_NAMES];
};

/* The facts from which hf_planner_run() makes its plan. It borrows all pointers for the call. */
struct hf_planner_input {
    const struct hf_objects *updates;
    const json_t *labels;
    const struct hf_syncpolicy *policy;
    const struct hf_edgenode *edgenode; /* this node's EdgeNode, for its turns; NULL if unknown */
    enum hf_staleness staleness;
    bool held;
    bool writes_used_up; /* the policy's budget of writes is used up */
    enum hf_link link;   /* whether the policy allows bulk transfers */
};

/* Initialises a planner. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_planner_init(struct hf_planner *planner, const struct hf_agent_env *env);
void hf_planner_done(struct hf_planner *planner);

/* Makes the plan, and passes it to the engine. If an object gives way to another object (sync/plan.h), logs the two
 * objects, but only once. */
void hf_planner_run(struct hf_planner *planner, const struct hf_planner_input *input, struct hf_update_engine *engine);

/* Calls `visit` for each object that the last plan left out because the node does not accept its signatures. Skips an
 * object if the plan uses another object in its place, and this other object has a higher sequence. `name` is the name
 * of the object, and `why` is an explanation; both are borrowed. */
void hf_planner_each_not_accepted(const struct hf_planner *planner,
                                  void (*visit)(void *arg, const char *name, const char *why), void *arg);

/* Returns true if the last plan wants the release with this name. */
bool hf_planner_wants(const struct hf_planner *planner, const char *release_name);
