/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/macros.h"

/* 1: packed[0..n) is one frame of the content, and its decisions give the same bytes. 0: not, or a block before the
 * last is empty. Pure, except for memory (0.9 MiB); workers only. */
HF_MUST_USE int pack_zframe_check(const unsigned char *packed, size_t n, const unsigned char *content,
                                  size_t content_n);
