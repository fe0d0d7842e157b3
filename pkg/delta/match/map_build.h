/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/map_build.h - build the match map from copies. Used only to create deltas. */
#pragma once

#include "delta/match/copies.h"
#include "delta/match/map.h"

/* Fills *map with copies, in the order of the new file. First drops copies whose old range lies inside the old range of
 * a longer copy, except a few of them. Of the copies that remain, takes the longest: at most `most` copies. Does not
 * fill map->by_old: call delta_map_sort() for that. Free the map with delta_map_done(). Errors: -ENOMEM. */
HF_MUST_USE int delta_map_build(const struct delta_copies *copies, size_t most, struct delta_map *map,
                                struct hf_err *err);
