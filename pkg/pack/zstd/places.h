/* SPDX-License-Identifier: Apache-2.0 */
/* Finds where the match at a place of new content may come from: the last three distances, and the latest places with
 * the same 12, 8, 6 or 4 bytes. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZCONTENT_AHEAD = 12 };
struct pack_zcontent {
    const unsigned char *p; /* the block's first byte; p[-before..rest) is readable */
    size_t before;
    uint64_t rest; /* bytes from p on; ZCONTENT_AHEAD behind the block are enough */
    uint64_t at;
};

/* Returns how many bytes at `at`, up to n, equal those `distance` before. */
uint32_t pack_zplaces_equal(const struct pack_zcontent *content, uint32_t at, uint32_t distance, uint32_t n);

uint32_t pack_zplaces_distance(const uint32_t last[3], uint32_t offset, bool no_literals);
/* Returns the lowest offset that stands for the distance. */
uint32_t pack_zplaces_offset(const uint32_t last[3], uint32_t distance, bool no_literals);
void pack_zplaces_use(uint32_t last[3], uint32_t offset, bool no_literals);

enum { ZPLACES_OLD, ZPLACES_REPEAT = 2, ZPLACES_SLOT = 5, ZPLACES_KINDS = 9, ZPLACES_COMPARED = 64 };

/* Candidates with 3 equal bytes or more, each distance once, under its lowest kind. */
struct pack_zplaces {
    unsigned n, best;
    struct {
        unsigned kind;
        uint32_t distance, equal;
    } p[ZPLACES_KINDS];
};
void pack_zplaces_add(struct pack_zplaces *places, const struct pack_zcontent *content, uint32_t at, uint32_t left,
                      unsigned kind, uint32_t distance);

/* A hash table from bytes to their latest place. */
struct pack_zslots;
struct pack_zslots *pack_zplaces_slots_new(void);
void pack_zplaces_slots_free(struct pack_zslots *slots);
void pack_zplaces_enter(struct pack_zslots *slots, const struct pack_zcontent *content, uint32_t from, uint32_t to);

/* Adds as candidates the last distances, then the places in `slots` (or NULL). */
void pack_zplaces_find(struct pack_zplaces *places, const struct pack_zslots *slots, const uint32_t last[3],
                       const struct pack_zcontent *content, uint32_t at, uint32_t left, bool no_literals);
