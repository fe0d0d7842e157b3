/* SPDX-License-Identifier: Apache-2.0 */
/* api/admission.h - decides if a rollout has admitted a node. Each node makes this decision for itself. Pure.
 *
 * Each node has a slot, and the EdgeUpdate has one cutoff. The rollout has admitted the nodes whose slot is below the
 * cutoff, and the canary nodes if status.admission admits the canary. The EdgeUpdate does not list nodes, so its size
 * does not depend on the size of the fleet. */
#pragma once

#include "api/edgeupdate.h"

/* Returns the slot 0..9999 of a node for the release with this digest. The slot is the first 32 bits of
 * sha256("<node>/<digest>"), scaled to 0..9999. */
unsigned hf_admission_slot(const char *node_name, const char *digest);

/* Returns true if the update's nodeSelector matches these labels. */
bool hf_admission_selects(const struct hf_edgeupdate *update, const json_t *node_labels);

/* Returns true if the update selects the node and the rollout has admitted this node. Without a strategy, every
 * selected node is admitted. With a strategy, a status.admission for another release admits no node. */
bool hf_admission_allows(const struct hf_edgeupdate *update, const char *node_name, const json_t *node_labels);
