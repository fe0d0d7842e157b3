/* SPDX-License-Identifier: Apache-2.0 */
/* Reduces this node's Node to its name, uid, labels and the agent's managed fields. Pure. */
#pragma once

#include "codec/json.h"

json_t *hf_own_node_condense(const json_t *node);

json_t *hf_own_node_with_labels(const json_t *node, json_t *labels);
