/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/hash_index.h - the fast profile's match finder: an index of the old file's positions by the hash of eight
 * bytes. A lookup tries only the candidates nearest to the expected position, up to a fixed number. The index finds
 * nearly all matches that the suffix array finds, in a fraction of the time.
 *
 * Deterministic; read-only after opening. Memory: 2 to 4 bytes for each byte of the old file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct delta_hash_index {
    /* A hash has `bits` bits. The entries for hash h are in `places`, from index start[h] to start[h + 1]
     * (exclusive). */
    uint32_t *start;
    /* The entries of each hash are in ascending order of their positions. The lower place_bits bits of an entry are the
     * position divided by 2. The upper bits are further bits of the hash, so that few lookups read the old file at a
     * false candidate. */
    uint32_t *places;
    unsigned bits, place_bits;
};

/* Makes the index of old[0..old_n), where old_n is below 2 GiB. Errors: -ENOMEM. */
HF_MUST_USE int delta_hash_index_open(struct delta_hash_index *index, const unsigned char *old, size_t old_n);
void delta_hash_index_done(struct delta_hash_index *index);

/* Finds a long match of key[0..key_n) in the old file. Returns the length of the match and sets *ret_old to its start
 * in the old file, or returns 0 if no match has at least eight bytes. Tries the old position `expected` first; another
 * match wins only if it is longer than the match there. Pass a number above old_n if no position is expected. */
size_t delta_hash_index_longest(const struct delta_hash_index *index, const unsigned char *old, size_t old_n,
                                const unsigned char *key, size_t key_n, size_t expected, size_t *ret_old);
