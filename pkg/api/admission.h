/* SPDX-License-Identifier: Apache-2.0 */
/* Has a rollout admitted this node? Pure.
 *
 * Each node has a slot, the EdgeUpdate one cutoff: lower slots are admitted, and canary nodes if status.admission says
 * so. */
#pragma once

#include "api/edgeupdate.h"

/* 0..9999: the first 32 bits of sha256("<node>/<digest>"), scaled. */
unsigned hf_admission_slot(const char *node_name, const char *digest);

/* status.admission is for this release and nodeSelector: an earlier one admits nobody. */
bool hf_admission_is_for(const struct hf_edgeupdate *update);

bool hf_admission_selects(const struct hf_edgeupdate *update, const json_t *node_labels);

/* Selected and admitted; without a strategy always. */
bool hf_admission_allows(const struct hf_edgeupdate *update, const char *node_name, const json_t *node_labels);
