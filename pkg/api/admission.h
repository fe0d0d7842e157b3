/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a rollout admits a node. Pure.
 *
 * Each node has a slot, and the EdgeUpdate a cutoff: nodes with lower slots are admitted, and canary nodes if
 * status.admission says so. */
#pragma once

#include "api/edgeupdate.h"

/* Returns 0..9999, scaled from the first 32 bits of sha256("<node>/<digest>"). */
unsigned hf_admission_slot(const char *node_name, const char *digest);

/* Whether status.admission is for this release, and for this or any nodeSelector. */
bool hf_admission_is_for(const struct hf_edgeupdate *update);

bool hf_admission_selects(const struct hf_edgeupdate *update, const json_t *node_labels);

/* Whether the node is selected and admitted; all are admitted without a strategy. */
bool hf_admission_allows(const struct hf_edgeupdate *update, const char *node_name, const json_t *node_labels);
