/* delta/image/refs_jump.h - tables of jumps in read-only data: 32-bit distances from the table's start to code, as compilers make
 * them for switches in code that may lie anywhere.
 *
 * Where a table starts is not written anywhere near: the first of a run of words that lead to code is taken for it. Where
 * several tables follow each other that is the first one's start, which leads a little beside the code meant and, nearly
 * always, to code that moved by as much. */
#pragma once

#include "delta/image/refs.h"

/* The run that the last window ended in; all zero at first. Positions in old. */
struct delta_jumps {
    uint64_t start, end;
};

static inline bool delta_jump_has(const struct delta_image *image, unsigned region_kind)
{
    return region_kind == DELTA_REGION_RODATA && image->machine == DELTA_MACHINE_X86_64 && !image->fixed;
}

/* As delta_refs_scan(), for regions delta_jump_has(). */
size_t delta_jump_scan(const struct delta_image *image, const unsigned char *bytes, size_t n, size_t limit,
                       uint64_t offset, struct delta_jumps *jumps, struct delta_ref *refs);
