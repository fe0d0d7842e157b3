/* agent/desired/policy.h - chooses the policy in effect, and computes the labels by which objects select this node.
 * Loop thread only. */
#pragma once

#include "agent/desired/policy_trust.h"
#include "agent/env.h"
#include "agent/follow/objects.h"
#include "node/facts.h"

struct hf_chosen_policy {
    const struct hf_agent_env *env;
    const struct hf_syncpolicy *in_effect; /* one of the SyncPolicy objects, or `defaults`; never NULL */
    struct hf_syncpolicy *defaults;
    struct hf_policy_trust trust;
    /* A policy that selects this node, but whose signatures the node does not accept: the reason in CamelCase (NULL:
     * there is none), and an explanation. */
    const char *distrust;
    char distrust_text[HF_POLICY_MESSAGE];
    char name[HF_API_MAX_NAME + 1]; /* name of the policy that the log reported last; "": the defaults */
    json_t *node;           /* Node object of this node, condensed (desired/own_node.h); NULL: not received yet */
    json_t *desired_labels; /* labels to apply to the Node */
    struct hf_issues labels_refused;
    json_t *own_labels; /* labels that the selectors of policies see */
    json_t *labels; /* labels that the selectors of updates see; without a Node object they include desired_labels */
};

/* -ENOMEM. */
HF_MUST_USE int hf_policy_init(struct hf_chosen_policy *policy, const struct hf_agent_env *env);
void hf_policy_done(struct hf_chosen_policy *policy);

/* Puts the defaults in effect. Returns the policy that was in effect before; the caller may now free it. */
const struct hf_syncpolicy *hf_policy_let_go(struct hf_chosen_policy *policy);

/* Replaces the Node object of this node by `node` and takes over the reference. Returns true if uid or labels
 * changed. */
bool hf_policy_set_node(struct hf_chosen_policy *policy, json_t *node);

/* Bits of the result of hf_policy_choose(): `own_labels` changed, `labels` changed. */
enum { HF_POLICY_OWN_LABELS = 1, HF_POLICY_LABELS = 2 };

/* Chooses the policy in effect and computes the labels. Returns a set of the bits above, or -ENOMEM. */
HF_MUST_USE int hf_policy_choose(struct hf_chosen_policy *policy, const struct hf_objects *policies,
                                 const struct hf_facts *facts);
