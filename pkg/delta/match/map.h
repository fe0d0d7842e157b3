/* delta/match/map.h - the match map: where parts of old went in new. Known before the first byte of new is made, so that
 * references forward can be predicted. Bounded: DELTA_MAP_MAX longest copies, of which the small profile tells DELTA_MAP_MADE; 32-bit
 * positions. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "delta/match/match.h"

enum {
    DELTA_MAP_MAX = 32768,
    DELTA_MAP_MADE = 20480 /* beside its models, more would take 3 MiB */,
    DELTA_MAP_LOOK = 24
};

struct delta_map_entry {
    uint32_t new_pos, old_pos, len;
};

enum delta_map_found { DELTA_MAP_NONE, DELTA_MAP_BEFORE, DELTA_MAP_COVERED };

struct delta_map_answer;

struct delta_map {
    uint32_t n;
    struct delta_map_entry *p;        /* ascending in new, not overlapping there */
    uint16_t *by_old;                 /* indexes, ascending in old (then in new) */
    struct delta_map_answer *answers; /* given lately: one thread at a time may ask */
};

void delta_map_done(struct delta_map *map);
/* The same entries for another thread: it must not outlive `map`, and ends with delta_map_twin_done(). */
HF_MUST_USE int delta_map_twin(const struct delta_map *map, struct delta_map *twin, struct hf_err *err);
void delta_map_twin_done(struct delta_map *twin);
HF_MUST_USE int delta_map_alloc(struct delta_map *map, uint32_t n, struct hf_err *err);
void delta_map_sort(struct delta_map *map); /* once p is complete */

/* The entry new_pos is in, or else the first one behind it: map->p + map->n when there is none. */
const struct delta_map_entry *delta_map_at(const struct delta_map *map, uint64_t new_pos);

/* Shift (new - old) at an old position: of the longest entry that covers it among the DELTA_MAP_LOOK nearest, else of
 * the one that ends last before it. */
enum delta_map_found delta_map_shift(const struct delta_map *map, uint64_t old_pos, int64_t *ret_shift);
