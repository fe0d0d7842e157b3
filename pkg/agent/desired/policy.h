/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/policy.h - adds up the policies that select this node (api/policies), and computes the labels by which
 * objects select it. */
#pragma once

#include "agent/desired/origins.h"
#include "agent/env.h"
#include "agent/follow/objects.h"
#include "agent/trust/manifest_trust.h"
#include "agent/trust/policy_trust.h"
#include "node/facts.h"

struct hf_chosen_policy {
    const struct hf_agent_env *env;
    const struct hf_syncpolicy *in_effect; /* set->effective; new with each hf_policy_choose() */
    struct hf_policy_set *set;             /* never NULL */
    struct hf_origins origins;
    struct hf_policy_trust trust;
    struct hf_manifest_trust entry_trust;
    const struct hf_objects *policies; /* the last hf_policy_choose()'s, or NULL */
    /* The reason not to accept a selecting policy's signatures (CamelCase), or NULL. */
    const char *distrust;
    /* A file could not be read or memory ran out: it is not proven that no policy has a manifest or label. */
    bool unsure;
    char distrust_text[HF_POLICY_MESSAGE];
    char names[HF_POLICY_MESSAGE];   /* as last logged */
    json_t *node;                    /* condensed (desired/own_node.h); NULL until the source has reported it */
    json_t *desired_labels;          /* for the Node, by the agent or the controller */
    struct hf_issues labels_refused; /* left out, with reasons */
    json_t *own_labels;              /* for selectors of SyncPolicies */
    json_t *labels;                  /* for selectors of EdgeUpdates: own_labels, and desired_labels without a Node */
};

/* With the defaults in effect. Loads floors and origins. */
HF_MUST_USE int hf_policy_init(struct hf_chosen_policy *policy, const struct hf_agent_env *env);
void hf_policy_done(struct hf_chosen_policy *policy);

/* Takes over the reference. True: uid or labels changed. */
bool hf_policy_set_node(struct hf_chosen_policy *policy, json_t *node);

/* own_labels changed; `labels` changed. */
enum { HF_POLICY_OWN_LABELS = 1, HF_POLICY_LABELS = 2 };

/* Returns these bits, or -ENOMEM, and all stays. `proven`: hf_follow_proves_absence(). `policies` are borrowed until
 * the next call. */
HF_MUST_USE int hf_policy_choose(struct hf_chosen_policy *policy, const struct hf_objects *policies, bool proven,
                                 const struct hf_facts *facts);

/* The time that an entry not in effect has to stay: 0: it may go; HF_NEVER: a selecting policy has it. Only while it is
 * certain that all policies are known. */
uint64_t hf_policy_removal_wait_ns(struct hf_chosen_policy *policy, const char *entry);
