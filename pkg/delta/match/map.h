/* delta/match/map.h - the match map: parts of the old file and their positions in the new one. Both sides know it
 * before the first byte of the new file, so that forward references can be predicted.
 *
 * Bounded: at most the DELTA_MAP_MAX longest copies, of which the small profile writes DELTA_MAP_MADE. Positions
 * have 32 bits. */
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

enum delta_map_found { DELTA_MAP_NONE, DELTA_MAP_BEFORE, DELTA_MAP_COVERED };

struct delta_map_answer;

struct delta_map {
    uint32_t n;
    struct delta_map_entry *p;        /* ascending in the new file, without overlaps there */
    uint16_t *by_old;                 /* indexes, ascending in the old file, then in the new */
    struct delta_map_answer *answers; /* cache of lookups: one thread at a time may ask */
};

void delta_map_done(struct delta_map *map);
/* Makes a view of `map` for another thread, with its own cache. It borrows the entries; free it with
 * delta_map_view_done(). */
HF_MUST_USE int delta_map_view(const struct delta_map *map, struct delta_map *view, struct hf_err *err);
void delta_map_view_done(struct delta_map *view);
HF_MUST_USE int delta_map_alloc(struct delta_map *map, uint32_t n, struct hf_err *err);
void delta_map_sort(struct delta_map *map); /* sorts the map: call when p is complete */

/* Returns the entry that holds new_pos, or else the next one; map->p + map->n if there is none. */
const struct delta_map_entry *delta_map_at(const struct delta_map *map, uint64_t new_pos);

/* Sets the shift (new - old) at an old position: that of the longest entry that covers it among the DELTA_MAP_LOOK
 * entries before it, or else of the one that ends last before it. */
enum delta_map_found delta_map_shift(const struct delta_map *map, uint64_t old_pos, int64_t *ret_shift);
