/* SPDX-License-Identifier: Apache-2.0 */
/* Computes lengths of matches, eight bytes at a time. Pure. */
#pragma once

#include <stddef.h>

size_t delta_common_prefix(const unsigned char *a, size_t a_n, const unsigned char *b, size_t b_n);

size_t delta_count_equal(const unsigned char *a, const unsigned char *b, size_t n);

/* Returns the shortest length up to n with the largest excess of equal over differing bytes; 0: no length has an
 * excess. */
size_t delta_extend_forward(const unsigned char *a, const unsigned char *b, size_t n);

size_t delta_extend_back(const unsigned char *a_end, const unsigned char *b_end, size_t n);
