/* agent/desired/own_node.h - the Node object of this node, reduced to the parts that the agent uses: name, uid, labels,
 * and those managed fields that the agent's field manager owns. Pure. */
#pragma once

#include "codec/json.h"

/* Returns the parts of a Node that the agent keeps, as a new object. NULL: out of memory. */
json_t *hf_own_node_condense(const json_t *node);

/* Returns a copy of a condensed Node. The labels of the copy are those of the Node with `labels` merged into them.
 * NULL: out of memory. */
json_t *hf_own_node_with_labels(const json_t *node, json_t *labels);
