/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/match/copies.h"
#include "delta/match/map.h"

/* Of copies, without most whose old range is in a longer one's: the `most` longest. delta_map_sort() it. Creating
 * only. */
HF_MUST_USE int delta_map_build(const struct delta_copies *copies, size_t most, struct delta_map *map,
                                struct hf_err *err);
