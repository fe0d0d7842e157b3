/* SPDX-License-Identifier: Apache-2.0 */
/* Where the match at a place of new content may come from: the last three distances, and the latest places that have
 * the same 12, 8, 6 or 4 bytes, which is what match finders prefer. Both directions find the same. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZCONTENT_AHEAD = 12 };
/* A block's content, within its frame. */
struct pack_zcontent {
    const unsigned char *p; /* block's first byte; p[-before..rest) is readable */
    size_t before;
    uint64_t rest; /* from p; ZCONTENT_AHEAD behind the block are enough */
    uint64_t at;   /* of p, in new */
};

/* Bytes that are equal at `at` and `distance` before, at most n. */
uint32_t pack_zplaces_equal(const struct pack_zcontent *content, uint32_t at, uint32_t distance, uint32_t n);

/* The distance that an offset means; 0: none. */
uint32_t pack_zplaces_distance(const uint32_t last[3], uint32_t offset, bool no_literals);
/* The shortest way to write a distance. */
uint32_t pack_zplaces_offset(const uint32_t last[3], uint32_t distance, bool no_literals);
void pack_zplaces_use(uint32_t last[3], uint32_t offset, bool no_literals);

enum { ZPLACES_OLD, ZPLACES_REPEAT = 2, ZPLACES_SLOT = 5, ZPLACES_KINDS = 9, ZPLACES_COMPARED = 64 };

/* Candidates: all with 3 equal bytes or more, each distance once, of the lowest kind. */
struct pack_zplaces {
    unsigned n, best; /* the first of those with the most equal bytes */
    struct {
        unsigned kind;
        uint32_t distance, equal; /* at most ZPLACES_COMPARED */
    } p[ZPLACES_KINDS];
};
void pack_zplaces_add(struct pack_zplaces *places, const struct pack_zcontent *content, uint32_t at, uint32_t left,
                      unsigned kind, uint32_t distance);

/* 8 MiB. */
struct pack_zslots;
struct pack_zslots *pack_zplaces_slots_new(void);
void pack_zplaces_slots_free(struct pack_zslots *slots);
/* Enters the places from..to. */
void pack_zplaces_enter(struct pack_zslots *slots, const struct pack_zcontent *content, uint32_t from, uint32_t to);

/* Adds the last distances, then what slots (NULL: none) lead to. */
void pack_zplaces_find(struct pack_zplaces *places, const struct pack_zslots *slots, const uint32_t last[3],
                       const struct pack_zcontent *content, uint32_t at, uint32_t left, bool no_literals);
