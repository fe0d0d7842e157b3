/* SPDX-License-Identifier: Apache-2.0 */
/* support/kept_blocks.h - large blocks of memory are kept when they are freed and given out again for the same size, poisoned in
 * between. A sanitizer maps such a block anew each time, which would be most of what a fuzzer with many short runs does.
 *
 * Works in programs linked with --wrap=malloc,--wrap=aligned_alloc,--wrap=free; in others it does nothing. */
#pragma once

#include <stddef.h>

/* Write this byte all over the blocks that are kept: what reads memory it never wrote makes something else then. */
void kept_blocks_fill(int byte);
/* Large blocks that are given out. */
size_t kept_blocks_out(void);
