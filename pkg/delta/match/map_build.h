/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/match/copies.h"
#include "delta/match/map.h"

/* Makes a map of the `most` longest copies, but leaves out many whose old range lies in that of a longer copy. Call
 * delta_map_sort() then. */
HF_MUST_USE int delta_map_build(const struct delta_copies *copies, size_t most, struct delta_map *map,
                                struct hf_err *err);
