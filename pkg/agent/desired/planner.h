/* agent/desired/planner.h - computes the desired releases of the update engine from the objects of this node. Loop
 * thread only. */
#pragma once

#include "agent/env.h"
#include "agent/follow/objects.h"
#include "base/strmap.h"
#include "sync/plan.h"
#include "sync/readiness.h"

struct hf_planner {
    const struct hf_agent_env *env;
    struct hf_plan *plan; /* result of the last run; its pointers into the objects may dangle once that run has ended */
    struct hf_strmap desired_names;      /* release names of the last plan */
    struct hf_strmap noted;              /* superseded and waiting objects, as the log last reported them */
    char superseded[HF_READINESS_NAMES]; /* names of objects, for the status */
    char not_admitted[HF_READINESS_NAMES];
    /* describes a part of the plan that the node cannot carry out; "": there is none */
    char failure[HF_READINESS_NAMES];
};

/* Input of a plan; borrowed for the call. */
struct hf_planner_input {
    const struct hf_objects *updates;
    const json_t *labels;
    const struct hf_syncpolicy *policy;
    enum hf_staleness staleness;
    bool held;
};

/* -ENOMEM. */
HF_MUST_USE int hf_planner_init(struct hf_planner *planner, const struct hf_agent_env *env);
void hf_planner_done(struct hf_planner *planner);

/* Makes the plan, hands it to the engine, and logs objects that give way to other objects (sync/plan.h). */
void hf_planner_run(struct hf_planner *planner, const struct hf_planner_input *input, struct hf_update_engine *engine);

/* Returns true if the last plan wants this release. */
bool hf_planner_wants(const struct hf_planner *planner, const char *release_name);
