/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/map.h - the match map: a list of parts of the old file with their positions in the new file. Encoder
 * and decoder have the map before the first byte of the new file, so that they can also predict references to later
 * positions.
 *
 * A map has at most DELTA_MAP_MAX entries; the small profile makes at most DELTA_MAP_MADE. If there are more copies,
 * the map has only the longest. Positions have 32 bits. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "delta/match/match.h"

enum {
    DELTA_MAP_MAX = 32768,
    DELTA_MAP_MADE = 20480, /* with more entries, the small profile's models would exceed 3 MiB */
    DELTA_MAP_LOOK = 24
};

struct delta_map_entry {
    uint32_t new_pos, old_pos, len;
};

/* Results of delta_map_shift(). */
enum delta_map_found { DELTA_MAP_NONE, DELTA_MAP_BEFORE, DELTA_MAP_COVERED };

struct delta_map_answer;

struct delta_map {
    uint32_t n;
    struct delta_map_entry *p; /* the entries, in the order of the new file; they do not overlap there */
    /* indexes of the entries, sorted by position in the old file, then by position in the new file */
    uint16_t *by_old;
    /* cache of look-ups; because of this cache, only one thread at a time may use the map */
    struct delta_map_answer *answers;
};

void delta_map_done(struct delta_map *map);
/* Makes a view of `map` for another thread, with its own cache. The view borrows the entries of `map`. Free the view
 * with delta_map_view_done(). */
HF_MUST_USE int delta_map_view(const struct delta_map *map, struct delta_map *view, struct hf_err *err);
void delta_map_view_done(struct delta_map *view);
HF_MUST_USE int delta_map_alloc(struct delta_map *map, uint32_t n, struct hf_err *err);
void delta_map_sort(struct delta_map *map); /* fills `by_old` and clears the cache; call when `p` is complete */

/* Returns the entry that contains new_pos. If there is none, returns the first entry after new_pos, or map->p + map->n
 * at the end of the map. */
const struct delta_map_entry *delta_map_at(const struct delta_map *map, uint64_t new_pos);

/* Finds the shift (new position - old position) at old_pos. Looks only at entries that begin at or before old_pos in
 * the old file, and only at the DELTA_MAP_LOOK of them that begin nearest to old_pos.
 *
 * DELTA_MAP_COVERED: some of these entries contain old_pos; *ret_shift is the shift of the longest of them.
 *
 * DELTA_MAP_BEFORE: none of these entries contains old_pos; *ret_shift is the shift of the entry that ends nearest to
 * old_pos in the old file.
 *
 * DELTA_MAP_NONE: no entry begins at or before old_pos; *ret_shift is unset. */
enum delta_map_found delta_map_shift(const struct delta_map *map, uint64_t old_pos, int64_t *ret_shift);
