/* delta/match/map_build.h - build the match map from copies. Used only to create deltas. */
#pragma once

#include "delta/match/copies.h"
#include "delta/match/map.h"

/* Fills *map with copies, in the order of the new file. First omits most copies whose old range lies inside that of a
 * longer copy. Of the others, takes the longest, at most `most`. Does not fill map->by_old: call delta_map_sort() for
 * that. Free the map with delta_map_done(). Errors: -ENOMEM. */
HF_MUST_USE int delta_map_build(const struct delta_copies *copies, size_t most, struct delta_map *map,
                                struct hf_err *err);
