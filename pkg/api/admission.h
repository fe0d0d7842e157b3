/* api/admission.h - decides if a rollout has admitted a node. Each node makes this decision for itself. Pure.
 *
 * The EdgeUpdate carries one cutoff, not a list of nodes, so its size does not depend on the size of the fleet. */
#pragma once

#include "api/edgeupdate.h"

/* Returns the slot 0..9999 of a node for the release with this digest. The slot is the first 32 bits of
 * sha256("<node>/<digest>"), scaled to 0..9999. */
unsigned hf_admission_slot(const char *node_name, const char *digest);

/* Returns true if the update's nodeSelector matches these labels. */
bool hf_admission_selects(const struct hf_edgeupdate *update, const json_t *node_labels);

/* Returns true if the update selects the node and its rollout has admitted it. Without a strategy, every selected node
 * is admitted. */
bool hf_admission_allows(const struct hf_edgeupdate *update, const char *node_name, const json_t *node_labels);
