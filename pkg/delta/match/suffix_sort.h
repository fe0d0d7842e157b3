/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/suffix_sort.h - sort the suffixes of a text by SA-IS (Nong, Zhang, Chan: "Linear suffix array
 * construction by almost pure induced-sorting", 2009). Takes linear time for every text. Memory: the result and a few
 * KiB; for rare texts, a third more than that. SUFFIX_SORTING.md compares this code with other libraries. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* Fills ret_order[0..n) with the offsets of the sorted suffixes of text[0..n). n is below 2^31. Errors: -ENOMEM. */
HF_MUST_USE int delta_suffix_sort(const unsigned char *text, size_t n, int32_t *ret_order);
