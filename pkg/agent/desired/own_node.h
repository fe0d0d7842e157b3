/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/own_node.h - condenses this node's Node to name, uid, labels, and the managed fields of the agent.
 * Pure. New objects, or NULL without memory. */
#pragma once

#include "codec/json.h"

json_t *hf_own_node_condense(const json_t *node);

/* A copy with `labels` merged in. */
json_t *hf_own_node_with_labels(const json_t *node, json_t *labels);
