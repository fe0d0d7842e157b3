/* SPDX-License-Identifier: Apache-2.0 */
/* Which labels of a report go to the Node: compares checksums of our labels there and of those wanted. Pure. */
#pragma once

#include "codec/json.h"

enum { HF_LABEL_RULE_MAX = 48 }; /* above, nothing changes */

#define HF_LABEL_RULE_MANAGER "holdfast-controller-labels"

/* Valid ones (our prefix) of status.labels; empty if absent: the Node loses ours. *ret_refused (may be NULL): how many
 * are invalid. -ENODATA: leave the Node; no status, or too many. */
HF_MUST_USE int hf_label_rule_wanted(const json_t *edgenode, json_t **ret_labels, unsigned *ret_refused);

/* The report has status.labels: agents that write labels themselves report none. */
bool hf_label_rule_is_ours(const json_t *edgenode);

/* The Node has labels that the agent wrote itself; our apply does not remove those. */
bool hf_label_rule_has_agents(const json_t *node);

/* The same in any order; 0 for the empty set. */
uint64_t hf_label_rule_sum(const json_t *labels);

/* The sum of the labels that our field manager owns. Needs only metadata. */
uint64_t hf_label_rule_owned(const json_t *node);
