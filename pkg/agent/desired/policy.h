/* agent/desired/policy.h - chooses the policy in effect, and computes the labels by which objects select this node.
 * Threads: loop thread only. */
#pragma once

#include "agent/desired/policy_trust.h"
#include "agent/env.h"
#include "agent/follow/objects.h"
#include "node/facts.h"

struct hf_chosen_policy {
    const struct hf_agent_env *env;
    /* the policy in effect: one of the SyncPolicy objects, or `defaults`; never NULL */
    const struct hf_syncpolicy *in_effect;
    struct hf_syncpolicy *defaults;
    struct hf_policy_trust trust;
    /* CamelCase reason why the node does not accept the signatures of a policy that selects this node; NULL if there is
     * no such policy. distrust_text explains the reason. */
    const char *distrust;
    /* true if a policy that selects this node may not be in effect only because a file could not be read, or because
     * memory ran out: that no policy has a manifest or label is then not proven */
    bool unsure;
    char distrust_text[HF_POLICY_MESSAGE];
    /* name of the policy that the agent last logged as the policy in effect; "" for the defaults */
    char name[HF_API_MAX_NAME + 1];
    /* Node object of this node, condensed (desired/own_node.h); NULL before the source has reported it */
    json_t *node;
    json_t *desired_labels;          /* labels that the Node should have; the agent or the controller writes them */
    struct hf_issues labels_refused; /* labels of the policy that the node leaves out, each with the reason */
    json_t *own_labels;              /* labels with which the agent compares the selectors of SyncPolicies */
    /* labels with which the agent compares the selectors of EdgeUpdates; if there is no Node object, they include
     * desired_labels */
    json_t *labels;
};

/* Initialises `policy` with the defaults in effect. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_policy_init(struct hf_chosen_policy *policy, const struct hf_agent_env *env);
void hf_policy_done(struct hf_chosen_policy *policy);

/* Puts the defaults in effect, and returns the policy that was in effect before. After this call the caller may free
 * the returned policy. */
const struct hf_syncpolicy *hf_policy_let_go(struct hf_chosen_policy *policy);

/* Replaces the Node object of this node by `node`, and takes over the caller's reference to it. Returns true if the uid
 * or the labels of the Node have changed. */
bool hf_policy_set_node(struct hf_chosen_policy *policy, json_t *node);

/* Bits in the result of hf_policy_choose(): HF_POLICY_OWN_LABELS is set if own_labels changed, and HF_POLICY_LABELS if
 * `labels` changed. */
enum { HF_POLICY_OWN_LABELS = 1, HF_POLICY_LABELS = 2 };

/* Chooses the policy in effect and computes the labels. Returns a set of HF_POLICY_OWN_LABELS and HF_POLICY_LABELS, or
 * -ENOMEM. */
HF_MUST_USE int hf_policy_choose(struct hf_chosen_policy *policy, const struct hf_objects *policies,
                                 const struct hf_facts *facts);
