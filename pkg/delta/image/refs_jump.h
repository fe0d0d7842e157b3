/* SPDX-License-Identifier: Apache-2.0 */
/* Finds jump tables in read-only data: 32-bit distances from the table's start to code. */
#pragma once

#include "delta/image/refs.h"

/* The last table found, kept from window to window; zeros at first. */
struct delta_jumps {
    uint64_t start, end;
};

static inline bool delta_jump_has(const struct delta_image *image, unsigned region_kind)
{
    return region_kind == DELTA_REGION_RODATA && image->machine == DELTA_MACHINE_X86_64 && !image->fixed;
}

size_t delta_jump_scan(const struct delta_image *image, const unsigned char *bytes, size_t n, size_t limit,
                       uint64_t offset, struct delta_jumps *jumps, struct delta_ref *refs);
