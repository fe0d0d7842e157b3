/* SPDX-License-Identifier: Apache-2.0 */
/* The match map: parts of the old file with new positions, known to both sides first, so that references to later
 * positions can be predicted. The longest copies, DELTA_MAP_MAX at most (small profile: DELTA_MAP_MADE). 32-bit
 * positions. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "delta/match/match.h"

enum {
    DELTA_MAP_MAX = 32768,
    DELTA_MAP_MADE = 20480, /* more: models exceed 3 MiB */
    DELTA_MAP_LOOK = 24
};

struct delta_map_entry {
    uint32_t new_pos, old_pos, len;
};

enum delta_map_found { DELTA_MAP_NONE, DELTA_MAP_BEFORE, DELTA_MAP_COVERED };

struct delta_map_answer;

struct delta_map {
    uint32_t n;
    struct delta_map_entry *p;        /* by new position, no overlaps there */
    uint16_t *by_old;                 /* indexes, by old, then new position */
    struct delta_map_answer *answers; /* cache: one thread */
};

void delta_map_done(struct delta_map *map);
/* For another thread: own cache, borrowed entries. */
HF_MUST_USE int delta_map_view(const struct delta_map *map, struct delta_map *view, struct hf_err *err);
void delta_map_view_done(struct delta_map *view);
HF_MUST_USE int delta_map_alloc(struct delta_map *map, uint32_t n, struct hf_err *err);
void delta_map_sort(struct delta_map *map); /* complete `p`: fills by_old, clears the cache */

/* The entry with new_pos, else the first after it, else the end. */
const struct delta_map_entry *delta_map_at(const struct delta_map *map, uint64_t new_pos);

/* New minus old position, by the DELTA_MAP_LOOK nearest entries that begin by old_pos. COVERED: of the longest that has
 * it. BEFORE: of the nearest end. NONE: unset. */
enum delta_map_found delta_map_shift(const struct delta_map *map, uint64_t old_pos, int64_t *ret_shift);
