/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/extend.h - compute lengths of matches, eight bytes at a time. Pure; any thread. */
#pragma once

#include <stddef.h>

/* Returns the length of the common prefix of a and b. */
size_t delta_common_prefix(const unsigned char *a, size_t a_n, const unsigned char *b, size_t b_n);

/* Counts the positions at which a[0..n) and b[0..n) are equal. */
size_t delta_count_equal(const unsigned char *a, const unsigned char *b, size_t n);

/* Extends a match over differing bytes. The score of a length is the number of equal bytes minus the number of
 * differing bytes within this length. Returns the length, at most n, with the largest score, or 0 if no score is
 * positive. The shortest length wins ties. */
size_t delta_extend_forward(const unsigned char *a, const unsigned char *b, size_t n);

/* Like delta_extend_forward(), but extends the match backwards, over the bytes that end at a_end and b_end. */
size_t delta_extend_back(const unsigned char *a_end, const unsigned char *b_end, size_t n);
