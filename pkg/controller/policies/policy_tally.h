/* SPDX-License-Identifier: Apache-2.0 */
/* controller/policies/policy_tally.h - counts, for each SyncPolicy, the nodes that it selects and the nodes that have
 * it in effect, and makes the SyncPolicy's status from these counts. Pure.
 *
 * A node is a Node object; its EdgeNode, if there is one, says which policies the agent has in effect. An EdgeNode
 * without a Node counts nowhere. The counts change with each object that comes in: a node costs one look at each
 * policy, and only if its labels or its report have changed; a policy costs one look at each node.
 *
 * Threads: any, one at a time for one tally. Memory: below 100 bytes for each node, plus its name; the tally stores
 * equal sets of labels and equal reports once. */
#pragma once

#include "codec/json.h"

enum { HF_POLICY_TALLY_MAX = 500 }; /* maximum number of policies */

struct hf_policy_tally;

/* Numbers of nodes. A node that the policy selects has either taken its generation, or lags, or is away. */
struct hf_policy_counts {
    unsigned selected;  /* nodes that nodeSelector selects */
    unsigned taken;     /* of these: their reports name the policy with its present generation */
    unsigned lagging;   /* of these: their reports do not, although the agents report */
    unsigned in_effect; /* nodes that report a section of the policy, in any generation */
    unsigned conflicts; /* nodes that report PolicyConflict with the name of the policy */
};

struct hf_policy_tally *hf_policy_tally_new(void); /* NULL: out of memory */
void hf_policy_tally_free(struct hf_policy_tally *tally);
HF_DEFINE_CLEANUP(struct hf_policy_tally, hf_policy_tally_free)

/* Call a _take function when an object is new or has changed, and a _drop function when it is gone. The _take functions
 * return 0, -EBADMSG (the object has no name), -ENOMEM or, for a policy beyond HF_POLICY_TALLY_MAX, -E2BIG; the tally
 * is then as before the call. */
HF_MUST_USE int hf_policy_tally_take_node(struct hf_policy_tally *tally, const json_t *node);
HF_MUST_USE int hf_policy_tally_take_edgenode(struct hf_policy_tally *tally, const json_t *edgenode);
HF_MUST_USE int hf_policy_tally_take_policy(struct hf_policy_tally *tally, const json_t *policy);
void hf_policy_tally_drop_node(struct hf_policy_tally *tally, const char *name);
void hf_policy_tally_drop_edgenode(struct hf_policy_tally *tally, const char *name);
void hf_policy_tally_drop_policy(struct hf_policy_tally *tally, const char *name);

/* Returns the counts of the policy with this name, or NULL. Valid until the next call that changes the tally. */
const struct hf_policy_counts *hf_policy_tally_counts(const struct hf_policy_tally *tally, const char *name);

/* Makes the object for a server-side apply of the status of `policy`, as the source has delivered it. Sets *ret_body to
 * NULL if the policy has this status already. Returns 0, -ENOENT (the tally does not have the policy) or -ENOMEM. */
HF_MUST_USE int hf_policy_tally_status(const struct hf_policy_tally *tally, const json_t *policy, uint64_t now_unix_ns,
                                       json_t **ret_body);
