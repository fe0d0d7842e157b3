/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which labels of a report go to the Node, by checksums of our labels there and of those wanted. Pure. */
#pragma once

#include "codec/json.h"

enum { HF_LABEL_RULE_MAX = 48 }; /* with more labels, the Node stays as it is */

#define HF_LABEL_RULE_MANAGER "holdfast-controller-labels"

/* Returns valid labels (our prefix) of status.labels; none if it is absent: the Node loses ours. *ret_refused (may be
 * NULL) counts the others. -ENODATA: leave the Node alone: no status, or too many labels. */
HF_MUST_USE int hf_label_rule_wanted(const json_t *edgenode, json_t **ret_labels, unsigned *ret_refused);

/* Whether the report has status.labels: agents that write labels themselves report none. */
bool hf_label_rule_is_ours(const json_t *edgenode);

/* Whether the Node has labels that the agent wrote itself. */
bool hf_label_rule_has_agents(const json_t *node);

/* Returns a checksum that does not depend on the order; 0 for the empty set. */
uint64_t hf_label_rule_sum(const json_t *labels);

/* Returns the checksum of the labels that our field manager owns. Needs only metadata. */
uint64_t hf_label_rule_owned(const json_t *node);
