/* delta/match/hash_index.h - the fast profile's way to find what new has in common with old: places of old by the hash of eight
 * bytes, a bounded number looked at, those nearest to where one is expected. Finds nearly what the suffix array finds in a
 * fraction of its time.
 *
 * Deterministic; read only once open. Memory: 3 to 4 bytes per byte of old. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct delta_hash_index {
    uint32_t *start; /* by hash: where its places start in `places`; they end where those of the next hash start */
    uint32_t *
        places; /* ascending for each hash: place / 2 in the lower bits, above it more of the hash, so that old is seldom looked at in vain */
    unsigned bits, place_bits;
};

/* old_n is below 2 GiB. -ENOMEM. */
HF_MUST_USE int delta_hash_index_open(struct delta_hash_index *index, const unsigned char *old, size_t old_n);
void delta_hash_index_done(struct delta_hash_index *index);

/* A long match of key[0..key_n) in old, 0 when there is none of eight bytes. `expected`: a place tried first, which wins among
 * equals; any number beyond old_n for none. */
size_t delta_hash_index_longest(const struct delta_hash_index *index, const unsigned char *old, size_t old_n,
                                const unsigned char *key, size_t key_n, size_t expected, size_t *ret_old);
