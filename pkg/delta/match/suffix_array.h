/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/suffix_array.h - the small profile's match finder, which searches the sorted suffixes of the old file.
 *
 * Deterministic; read-only after opening. Memory: 4 bytes for each byte of the old file, and 256 KiB. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

struct delta_suffix_array {
    const unsigned char *old;
    size_t old_n;
    int32_t *order; /* offset of each suffix, in sorted order (NULL means that the array is not open) */
    /* For each pair of bytes, the index in `order` of the first suffix that begins with the pair. The last element is
     * the number of suffixes. NULL if the old file is small. */
    uint32_t *starts;
};

/* Sorts the suffixes of old[0..old_n), where old_n is above 0 and below 2 GiB. Borrows `old`. Errors: -ENOMEM. */
HF_MUST_USE int delta_suffix_array_open(struct delta_suffix_array *s, const unsigned char *old, size_t old_n);
void delta_suffix_array_done(struct delta_suffix_array *s);

/* Finds the longest prefix of key[0..key_n) that occurs in the old file. Returns its length, or 0 if there is none. The
 * prefix occurs at old[order[*ret_rank]]. */
size_t delta_suffix_array_longest(const struct delta_suffix_array *s, const unsigned char *key, size_t key_n,
                                  size_t *ret_rank);
