/* delta/match/extend.h - how much two places have in common, eight bytes at a time. Pure; any thread. */
#pragma once

#include <stddef.h>

/* How many bytes a and b have in common at their start. */
size_t delta_common_prefix(const unsigned char *a, size_t a_n, const unsigned char *b, size_t b_n);

/* How many of a[0..n) are equal to those of b. */
size_t delta_count_equal(const unsigned char *a, const unsigned char *b, size_t n);

/* A copy goes on over differing bytes while that brings more equal ones: the shortest length of at most n for which equal
 * bytes less differing ones of a and b are most, 0 when they never outweigh. */
size_t delta_extend_forward(const unsigned char *a, const unsigned char *b, size_t n);

/* The same for the bytes before a_end and b_end, from there back. */
size_t delta_extend_back(const unsigned char *a_end, const unsigned char *b_end, size_t n);
