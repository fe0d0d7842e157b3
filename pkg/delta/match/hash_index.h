/* SPDX-License-Identifier: Apache-2.0 */
/* The match finder of the fast profile: finds old positions by a hash of eight bytes. Deterministic; read-only once
 * open. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct delta_hash_index {
    uint32_t *start;
    uint32_t *places;
    unsigned bits, place_bits;
};

/* old_n < 2 GiB. */
HF_MUST_USE int delta_hash_index_open(struct delta_hash_index *index, const unsigned char *old, size_t old_n);
void delta_hash_index_done(struct delta_hash_index *index);

/* Finds a long match: returns its length, 0 if below eight bytes. The match at old position `expected` (above old_n:
 * none) loses only to a longer one. */
size_t delta_hash_index_longest(const struct delta_hash_index *index, const unsigned char *old, size_t old_n,
                                const unsigned char *key, size_t key_n, size_t expected, size_t *ret_old);
