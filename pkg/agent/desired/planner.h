/* SPDX-License-Identifier: Apache-2.0 */
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
    struct hf_plan *plan;
    struct hf_strmap desired_names;
    struct hf_strmap noted; /* logged pairs "<object>/<object used instead>" */
    struct hf_release_trust trust;
    char superseded[HF_READINESS_NAMES];
    char not_admitted[HF_READINESS_NAMES];
    struct hf_strmap not_accepted;
    char failure[HF_READINESS_NAMES]; /* why EdgeUpdates were ignored, or the engine refused the plan; or "" */
};

struct hf_planner_input {
    const struct hf_objects *updates;
    const json_t *labels;
    const struct hf_syncpolicy *policy;
    const struct hf_edgenode *edgenode; /* NULL: no turns are known */
    enum hf_staleness staleness;
    bool held;
    bool writes_used_up;
    enum hf_link link;
    bool images_ready;
};

HF_MUST_USE int hf_planner_init(struct hf_planner *planner, const struct hf_agent_env *env);
void hf_planner_done(struct hf_planner *planner);

/* Gives the engine a new plan. Logs once which object replaces which other (sync/plan.h). */
void hf_planner_run(struct hf_planner *planner, const struct hf_planner_input *input, struct hf_update_engine *engine);

/* Visits the EdgeUpdates that the last plan left out for their signatures, unless one of a higher sequence is used. */
void hf_planner_each_not_accepted(const struct hf_planner *planner,
                                  void (*visit)(void *arg, const char *name, const char *why), void *arg);

bool hf_planner_wants(const struct hf_planner *planner, const char *release_name);
