/* SPDX-License-Identifier: Apache-2.0 */
/* The match finder of the small profile. Deterministic; read-only once open. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

struct delta_suffix_array {
    const unsigned char *old;
    size_t old_n;
    int32_t *order;
    uint32_t *starts;
};

/* Borrows `old`; 0 < old_n < 2 GiB. */
HF_MUST_USE int delta_suffix_array_open(struct delta_suffix_array *s, const unsigned char *old, size_t old_n);
void delta_suffix_array_done(struct delta_suffix_array *s);

/* Returns the length of the longest prefix of `key` found in old; it is at old[order[*ret_rank]]. */
size_t delta_suffix_array_longest(const struct delta_suffix_array *s, const unsigned char *key, size_t key_n,
                                  size_t *ret_rank);
