/* SPDX-License-Identifier: Apache-2.0 */
/* The match map says where parts of the old file are in the new one. Encoder and decoder have it before the blocks, to
 * predict references to later positions. It has long copies: DELTA_MAP_MAX at most (small profile:
 * DELTA_MAP_MADE). */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "delta/match/match.h"

enum { DELTA_MAP_MAX = 32768, DELTA_MAP_MADE = 20480, DELTA_MAP_LOOK = 24 };

struct delta_map_entry {
    uint32_t new_pos, old_pos, len;
};

enum delta_map_found { DELTA_MAP_NONE, DELTA_MAP_BEFORE, DELTA_MAP_COVERED };

struct delta_map_answer;

struct delta_map {
    uint32_t n;
    struct delta_map_entry *p; /* sorted by new position, without overlaps there */
    uint16_t *by_old;
    struct delta_map_answer *answers; /* a cache, for one thread */
};

void delta_map_done(struct delta_map *map);
/* Makes a view for another thread: a cache of its own, with borrowed entries. */
HF_MUST_USE int delta_map_view(const struct delta_map *map, struct delta_map *view, struct hf_err *err);
void delta_map_view_done(struct delta_map *view);
HF_MUST_USE int delta_map_alloc(struct delta_map *map, uint32_t n, struct hf_err *err);
void delta_map_sort(struct delta_map *map); /* Call when `p` is complete: fills by_old, clears the cache. */

/* Returns the entry that has new_pos, or else the first one behind it, or the end. */
const struct delta_map_entry *delta_map_at(const struct delta_map *map, uint64_t new_pos);

/* Sets *ret_shift to new minus old position at old_pos, by one of the DELTA_MAP_LOOK nearest entries that begin at
 * old_pos or before. COVERED: the longest that contains old_pos. BEFORE: the one that ends last, as none contains it.
 * NONE: no entry begins there, and *ret_shift is unset. */
enum delta_map_found delta_map_shift(const struct delta_map *map, uint64_t old_pos, int64_t *ret_shift);
