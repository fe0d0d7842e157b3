/* SPDX-License-Identifier: Apache-2.0 */
/* controller/labels/label_rule.h - decides which labels of an agent's report the controller writes to the Node of the
 * same name, and if the Node has them already. Pure. Threads: any.
 *
 * The rule compares two checksums: one over the labels of the Node that our field manager owns, and one over the labels
 * that the report wants. The checksums differ if somebody has changed or removed one of these labels, or if the report
 * wants other labels now. */
#pragma once

#include "codec/json.h"

enum { HF_LABEL_RULE_MAX = 48 }; /* maximum number of labels in one report; a report with more labels changes nothing */

#define HF_LABEL_RULE_MANAGER "holdfast-controller-labels" /* field manager of the labels */

/* Makes a JSON object with the valid labels of the EdgeNode's status.labels. A label is valid if its key has our prefix
 * and its value is valid. Without status.labels, the object is empty, so that the Node loses our labels. *ret_refused
 * (may be NULL) is the number of invalid labels. -ENODATA: the EdgeNode has no status, or more than HF_LABEL_RULE_MAX
 * labels; leave the Node as it is. -ENOMEM. */
HF_MUST_USE int hf_label_rule_wanted(const json_t *edgenode, json_t **ret_labels, unsigned *ret_refused);

/* Returns true if the agent leaves the Node's labels to the controller: its report has status.labels, maybe empty. An
 * agent that writes the labels itself reports none. */
bool hf_label_rule_is_ours(const json_t *edgenode);

/* Returns true if the Node has labels with our prefix that the agent's field manager owns. Such labels remain from the
 * time when the agent wrote the labels itself. An apply of another field manager does not remove them. */
bool hf_label_rule_has_agents(const json_t *node);

/* Returns the checksum of a set of labels, which does not depend on their order; 0 for the empty set. */
uint64_t hf_label_rule_sum(const json_t *labels);

/* Returns the checksum of the labels of a Node that our field manager owns. Only the Node's metadata is necessary. */
uint64_t hf_label_rule_owned(const json_t *node);
