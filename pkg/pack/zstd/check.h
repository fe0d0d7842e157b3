/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/macros.h"

/* Returns 1 if packed[0..n) is one frame of the content that its decisions reproduce; 0 if not, or if a block before
 * the last is empty. Workers only. */
HF_MUST_USE int pack_zframe_check(const unsigned char *packed, size_t n, const unsigned char *content,
                                  size_t content_n);
