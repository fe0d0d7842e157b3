/* SPDX-License-Identifier: Apache-2.0 */
/* The policy in effect (api/policies), and the labels that selectors match. */
#pragma once

#include "agent/desired/origins.h"
#include "agent/env.h"
#include "agent/follow/objects.h"
#include "agent/trust/manifest_trust.h"
#include "agent/trust/policy_trust.h"
#include "node/facts.h"

struct hf_chosen_policy {
    const struct hf_agent_env *env;
    const struct hf_syncpolicy *in_effect;
    struct hf_policy_set *set; /* not NULL */
    struct hf_origins origins;
    struct hf_policy_trust trust;
    struct hf_manifest_trust entry_trust;
    const struct hf_objects *policies;
    /* Why signatures of a policy that selects this node do not count (CamelCase), or NULL. */
    const char *distrust;
    /* Not all policies could be judged or added up: an unknown one may have a manifest or label. */
    bool unsure;
    char distrust_text[HF_POLICY_MESSAGE];
    char names[HF_POLICY_MESSAGE];
    json_t *node; /* this node's Node, condensed; NULL: not reported yet */
    json_t *desired_labels;
    struct hf_issues labels_refused;
    json_t *own_labels; /* labels that selectors of SyncPolicies see */
    json_t *labels;     /* those that selectors of EdgeUpdates see: without a Node, also desired_labels */
};

HF_MUST_USE int hf_policy_init(struct hf_chosen_policy *policy, const struct hf_agent_env *env);
void hf_policy_done(struct hf_chosen_policy *policy);

/* Takes over the reference to `node`. Returns whether its uid or labels changed. */
bool hf_policy_set_node(struct hf_chosen_policy *policy, json_t *node);

enum { HF_POLICY_OWN_LABELS = 1, HF_POLICY_LABELS = 2 };

/* Returns the bits (above) of labels that changed. -ENOMEM: the labels stay. `proven`: hf_follow_proves_absence().
 * Borrows `policies` until the next call. */
HF_MUST_USE int hf_policy_choose(struct hf_chosen_policy *policy, const struct hf_objects *policies, bool proven,
                                 const struct hf_facts *facts);

/* Returns how long an entry that is not in effect must stay. 0: it may go; HF_NEVER: a selecting policy has it. Call it
 * only while all policies are certainly known. */
uint64_t hf_policy_removal_wait_ns(struct hf_chosen_policy *policy, const char *entry);
