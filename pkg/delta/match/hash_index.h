/* SPDX-License-Identifier: Apache-2.0 */
/* The fast profile's match finder: old positions by hash of eight bytes. Deterministic; read-only when open. 2 to 4
 * bytes per old byte. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct delta_hash_index {
    /* Hash h: places[start[h]..start[h + 1]). */
    uint32_t *start;
    /* Ascending. Lower place_bits: position / 2; above: more hash, against false candidates. */
    uint32_t *places;
    unsigned bits, place_bits;
};

/* old_n < 2 GiB. */
HF_MUST_USE int delta_hash_index_open(struct delta_hash_index *index, const unsigned char *old, size_t old_n);
void delta_hash_index_done(struct delta_hash_index *index);

/* Length and start of a long match; below eight bytes: 0. `expected` loses only to a longer one; above old_n: none. */
size_t delta_hash_index_longest(const struct delta_hash_index *index, const unsigned char *old, size_t old_n,
                                const unsigned char *key, size_t key_n, size_t expected, size_t *ret_old);
