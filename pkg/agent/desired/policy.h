/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/policy.h - adds up the policies that select this node (api/policies), and computes the labels by which
 * objects select it. Threads: loop thread only. */
#pragma once

#include "agent/desired/origins.h"
#include "agent/env.h"
#include "agent/follow/objects.h"
#include "agent/trust/manifest_trust.h"
#include "agent/trust/policy_trust.h"
#include "node/facts.h"

struct hf_chosen_policy {
    const struct hf_agent_env *env;
    const struct hf_syncpolicy *in_effect; /* set->effective; a new one with each hf_policy_choose() */
    struct hf_policy_set *set;             /* never NULL */
    struct hf_origins origins;
    struct hf_policy_trust trust;
    struct hf_manifest_trust entry_trust;
    const struct hf_objects *policies; /* of the last hf_policy_choose(); NULL before it */
    /* CamelCase reason why the node does not accept the signatures of a policy that selects this node; NULL if there is
     * no such policy. distrust_text explains the reason. */
    const char *distrust;
    /* true if what is in effect is in doubt, because a file could not be read or memory ran out: that no policy has a
     * manifest or label is then not proven */
    bool unsure;
    char distrust_text[HF_POLICY_MESSAGE];
    char names[HF_POLICY_MESSAGE]; /* names of the policies in effect as the agent last logged them, in order */
    /* Node object of this node, condensed (desired/own_node.h); NULL before the source has reported it */
    json_t *node;
    json_t *desired_labels;          /* labels that the Node should have; the agent or the controller writes them */
    struct hf_issues labels_refused; /* labels of the policy that the node leaves out, each with the reason */
    json_t *own_labels;              /* labels with which the agent compares the selectors of SyncPolicies */
    /* labels with which the agent compares the selectors of EdgeUpdates; if there is no Node object, they include
     * desired_labels */
    json_t *labels;
};

/* Initialises `policy` with the defaults in effect, and loads the floors and the origins. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_policy_init(struct hf_chosen_policy *policy, const struct hf_agent_env *env);
void hf_policy_done(struct hf_chosen_policy *policy);

/* Replaces the Node object of this node by `node`, and takes over the caller's reference to it. Returns true if the uid
 * or the labels of the Node have changed. */
bool hf_policy_set_node(struct hf_chosen_policy *policy, json_t *node);

/* Bits in the result of hf_policy_choose(): HF_POLICY_OWN_LABELS is set if own_labels changed, and HF_POLICY_LABELS if
 * `labels` changed. */
enum { HF_POLICY_OWN_LABELS = 1, HF_POLICY_LABELS = 2 };

/* Adds up the policies and computes the labels. `proven` is hf_follow_proves_absence() of the policies, which are
 * borrowed until the next call. If a section has another origin than before, origins.change says so. Returns a set of
 * HF_POLICY_OWN_LABELS and HF_POLICY_LABELS, or -ENOMEM; what was in effect then stays. */
HF_MUST_USE int hf_policy_choose(struct hf_chosen_policy *policy, const struct hf_objects *policies, bool proven,
                                 const struct hf_facts *facts);

/* Returns for how long an entry of spec.manifests that is not in effect has to stay in place: 0 if it may go, HF_NEVER
 * if a policy that selects this node has it, although that is not in effect. Call this function only while it is
 * certain that the agent has all policies for this node. */
uint64_t hf_policy_removal_wait_ns(struct hf_chosen_policy *policy, const char *entry);
