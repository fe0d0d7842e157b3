/* delta/tables.h - match tables entry by entry: relocations, symbols, unwind tables. Their bytes are so alike that a matcher of
 * strings points anywhere in them; what an entry is about tells where it belongs. */
#pragma once

#include "delta/create.h"
#include "delta/match/map.h"

/* Replace the copies inside such tables of new. -ENOMEM. */
HF_MUST_USE int delta_tables_match(struct delta_make *make, struct hf_err *err);

/* `match` for each pair of images, with the map of the copies there were at the start, sorted by old position. What it
 * returns: 0 or -ENOMEM. */
HF_MUST_USE int delta_images_match_each(struct delta_make *make,
                                        int (*match)(struct delta_make *make, uint32_t pair,
                                                     const struct delta_map *map),
                                        struct hf_err *err);

/* The longest copies, at most `most`, as a match map. */
HF_MUST_USE int delta_map_build(const struct delta_copies *copies, size_t most, struct delta_map *map,
                                struct hf_err *err);
