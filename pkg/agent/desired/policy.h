/* SPDX-License-Identifier: Apache-2.0 */
/* The sum of the policies that select this node (api/policies), and the labels that objects select by. */
#pragma once

#include "agent/desired/origins.h"
#include "agent/env.h"
#include "agent/follow/objects.h"
#include "agent/trust/manifest_trust.h"
#include "agent/trust/policy_trust.h"
#include "node/facts.h"

struct hf_chosen_policy {
    const struct hf_agent_env *env;
    const struct hf_syncpolicy *in_effect; /* set->effective */
    struct hf_policy_set *set;             /* not NULL */
    struct hf_origins origins;
    struct hf_policy_trust trust;
    struct hf_manifest_trust entry_trust;
    const struct hf_objects *policies; /* last chosen from, or NULL */
    /* Why a selecting policy's signatures do not count (CamelCase), or NULL. */
    const char *distrust;
    /* A file was unreadable or memory ran out: an unknown policy may have a manifest or label. */
    bool unsure;
    char distrust_text[HF_POLICY_MESSAGE];
    char names[HF_POLICY_MESSAGE];   /* as last logged */
    json_t *node;                    /* condensed; NULL: not reported yet */
    json_t *desired_labels;          /* for the Node */
    struct hf_issues labels_refused; /* labels left out, and why */
    json_t *own_labels;              /* selectors of SyncPolicies */
    json_t *labels;                  /* selectors of EdgeUpdates: also desired_labels without a Node */
};

/* Begins with the defaults in effect. */
HF_MUST_USE int hf_policy_init(struct hf_chosen_policy *policy, const struct hf_agent_env *env);
void hf_policy_done(struct hf_chosen_policy *policy);

/* Takes the reference to `node`. True: its uid or labels changed. */
bool hf_policy_set_node(struct hf_chosen_policy *policy, json_t *node);

enum { HF_POLICY_OWN_LABELS = 1, HF_POLICY_LABELS = 2 };

/* Returns these bits for changed labels. -ENOMEM: the labels stay. `proven`: hf_follow_proves_absence(). Borrows
 * `policies` until the next call. */
HF_MUST_USE int hf_policy_choose(struct hf_chosen_policy *policy, const struct hf_objects *policies, bool proven,
                                 const struct hf_facts *facts);

/* How long an entry that is not in effect must stay. 0: it may go; HF_NEVER: a selecting policy has it. Only while all
 * policies are certainly known. */
uint64_t hf_policy_removal_wait_ns(struct hf_chosen_policy *policy, const char *entry);
