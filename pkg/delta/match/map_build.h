/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/match/copies.h"
#include "delta/match/map.h"

/* Fills the map with the `most` longest copies, leaving out most of those whose old range lies in that of a longer one.
 * Call delta_map_sort() then. Creating only. */
HF_MUST_USE int delta_map_build(const struct delta_copies *copies, size_t most, struct delta_map *map,
                                struct hf_err *err);
