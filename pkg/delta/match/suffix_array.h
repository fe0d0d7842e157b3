/* delta/match/suffix_array.h - the small profile's way to find what new has in common with old: all suffixes of old in their order.
 *
 * Deterministic; read only once open. Memory: 4 bytes per byte of old, and 256 KiB. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

struct delta_suffix_array {
    const unsigned char *old;
    size_t old_n;
    int32_t *order; /* where each starts; NULL: not open */
    /* The first of them that begins with these two bytes, and one behind the last; NULL: old is small. */
    uint32_t *starts;
};

/* old_n is neither 0 nor 2 GiB, and old lives as long. -ENOMEM. */
HF_MUST_USE int delta_suffix_array_open(struct delta_suffix_array *s, const unsigned char *old, size_t old_n);
void delta_suffix_array_done(struct delta_suffix_array *s);

/* The longest match of key[0..key_n) in old, which starts at order[*ret_rank]; 0: none. */
size_t delta_suffix_array_longest(const struct delta_suffix_array *s, const unsigned char *key, size_t key_n,
                                  size_t *ret_rank);
