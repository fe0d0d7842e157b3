/* delta/match/hash_index.h - the fast profile's match finder: positions of the old file by the hash of eight bytes. A
 * lookup tries a bounded number of candidates, those nearest to the expected position. It finds nearly what the suffix
 * array finds in a fraction of the time.
 *
 * Deterministic; read-only after opening. Memory: 3 to 4 bytes for each byte of the old file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct delta_hash_index {
    /* for each hash: index of its first entry in `places`; its entries end where those of the next hash begin */
    uint32_t *start;
    /* Ascending for each hash. Lower bits: position / 2; upper bits: more bits of the hash, so that few lookups read
     * the old file in vain. */
    uint32_t *places;
    unsigned bits, place_bits;
};

/* old_n is below 2 GiB. -ENOMEM. */
HF_MUST_USE int delta_hash_index_open(struct delta_hash_index *index, const unsigned char *old, size_t old_n);
void delta_hash_index_done(struct delta_hash_index *index);

/* Returns the length of a long match of key[0..key_n), or 0 if there is none of eight bytes. Tries the position
 * `expected` first, which also wins ties; pass a number above old_n for none. */
size_t delta_hash_index_longest(const struct delta_hash_index *index, const unsigned char *old, size_t old_n,
                                const unsigned char *key, size_t key_n, size_t expected, size_t *ret_old);
