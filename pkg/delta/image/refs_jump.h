/* SPDX-License-Identifier: Apache-2.0 */
/* delta/image/refs_jump.h - jump tables in read-only data. Compilers make these tables for switches in
 * position-independent code. Each entry is a 32-bit distance from the table's start to code.
 *
 * No data nearby records where a table starts, so the scanner assumes that a table starts at the first of several
 * consecutive words that lead to code. If several tables follow each other, the scanner takes the start of the first
 * table for all of them. The computed target is then slightly wrong, but the code there has nearly always moved by the
 * same distance as the true target. */
#pragma once

#include "delta/image/refs.h"

/* State that the scan of one window (struct delta_span of predict.h) leaves to the scan of the next. The members are
 * start and end, in the old file, of the latest run of consecutive words that lead to code. Zero the struct before the
 * first window. */
struct delta_jumps {
    uint64_t start, end;
};

static inline bool delta_jump_has(const struct delta_image *image, unsigned region_kind)
{
    return region_kind == DELTA_REGION_RODATA && image->machine == DELTA_MACHINE_X86_64 && !image->fixed;
}

/* Finds sites as delta_refs_scan() does, in regions for which delta_jump_has() is true. */
size_t delta_jump_scan(const struct delta_image *image, const unsigned char *bytes, size_t n, size_t limit,
                       uint64_t offset, struct delta_jumps *jumps, struct delta_ref *refs);
