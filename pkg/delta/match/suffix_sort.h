/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts suffixes by SA-IS (Nong, Zhang, Chan, 2009). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* n < 2^31. */
HF_MUST_USE int delta_suffix_sort(const unsigned char *text, size_t n, int32_t *ret_order);
