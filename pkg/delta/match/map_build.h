/* SPDX-License-Identifier: Apache-2.0 */
/* Build the match map from copies. Creating only. */
#pragma once

#include "delta/match/copies.h"
#include "delta/match/map.h"

/* Without most copies whose old range is inside a longer one's; the `most` longest of the rest. Call delta_map_sort()
 * then. */
HF_MUST_USE int delta_map_build(const struct delta_copies *copies, size_t most, struct delta_map *map,
                                struct hf_err *err);
