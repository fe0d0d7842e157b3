/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/own_node.h - condenses the Node object of this node to the parts that the agent uses: name, uid,
 * labels, and the managed fields of the agent's field manager. Pure. */
#pragma once

#include "codec/json.h"

/* Returns a condensed copy of a Node as a new object, or NULL if memory runs out. */
json_t *hf_own_node_condense(const json_t *node);

/* Returns a copy of a condensed Node, in which `labels` are merged into the Node's labels. Returns NULL if memory runs
 * out. */
json_t *hf_own_node_with_labels(const json_t *node, json_t *labels);
