/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/match/copies.h"
#include "delta/match/map.h"

/* Maps the `most` longest copies, after dropping most whose old range is in a longer one's. Call delta_map_sort() then.
 * Creating only. */
HF_MUST_USE int delta_map_build(const struct delta_copies *copies, size_t most, struct delta_map *map,
                                struct hf_err *err);
