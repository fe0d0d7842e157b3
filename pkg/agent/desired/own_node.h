/* agent/desired/own_node.h - the own Node object, reduced to what this agent uses: name, uid, labels, its own managed
 * fields. Pure. */
#pragma once

#include "codec/json.h"

/* Returns the parts of a Node that the agent keeps, as a new object. NULL: out of memory. */
json_t *hf_own_node_condense(const json_t *node);

/* Returns a copy of a condensed Node with `labels` merged into its labels. NULL: out of memory. */
json_t *hf_own_node_with_labels(const json_t *node, json_t *labels);
