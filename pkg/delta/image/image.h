/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and tables of an executable image, to predict references. Both sides read the old one; the delta has the new
 * one's segments. Little-endian ELF, 32 and 64 bits; others have no segments. Bounded; hostile headers only predict
 * badly. */
#pragma once

#include <stdint.h>

#include "delta/io/wire.h"

enum { DELTA_SEGMENTS = 12, DELTA_REGIONS = 64 };

enum delta_machine {
    DELTA_MACHINE_NONE,
    DELTA_MACHINE_X86_64,
    DELTA_MACHINE_AARCH64,
    DELTA_MACHINE_ARM, /* A32 and Thumb-2 */
    DELTA_MACHINE_I386,
    DELTA_MACHINE_RISCV, /* 64-bit */
};

/* The file's bytes, then zeros. */
struct delta_segment {
    uint64_t offset, address, file_size, memory_size;
};

struct delta_segments {
    unsigned n;
    struct delta_segment p[DELTA_SEGMENTS];
};

enum delta_region_kind {
    DELTA_REGION_PLAIN,
    DELTA_REGION_CODE,
    DELTA_REGION_POINTERS, /* aligned addresses */
    DELTA_REGION_RELA,     /* {address, info, addend}, 64-bit */
    DELTA_REGION_SYMBOLS,  /* Elf64_Sym or Elf32_Sym */
    DELTA_REGION_DYNAMIC,
    DELTA_REGION_EH_HDR,
    DELTA_REGION_EH_FRAME,
    DELTA_REGION_RODATA,
    DELTA_REGION_GO_PCLN,
    DELTA_REGION_REL,   /* {address, info}, 32-bit */
    DELTA_REGION_EXIDX, /* ARM's unwind table {function, instructions}, 31 bits, self-relative */
    DELTA_REGION_RELR,  /* even words are addresses, odd ones bitmaps for the words behind */
    /* Go: entry and description */
    DELTA_REGION_GO_ROWS,
    DELTA_REGION_GO_FUNCTIONS, /* Go: descriptions */
    DELTA_REGION_GO_TYPES,
    DELTA_REGION_GO_OFFSETS, /* Go: 32-bit, from `link` */
    DELTA_REGION_GO_FIND,    /* findfunctab */
    DELTA_REGION_GO_DATA,    /* Go: garbage collector, tracebacks */
    DELTA_REGION_KINDS,
};

/* A kind, 0 to 15, for contexts. Go's last three share with REL, EXIDX and RELR, which its images seldom have. */
static inline unsigned delta_region_slot(enum delta_region_kind kind)
{
    return kind < 16 ? kind : kind - 16u + DELTA_REGION_REL;
}

/* Bytes of one kind, such as a section. */
struct delta_region {
    uint64_t offset, size, address;
    /* Symbols: the string table's offset; relocations: the symbol table's; Go's offsets: where they count from. */
    uint64_t link;
    enum delta_region_kind kind;
    bool linkage; /* .got or .plt */
};

enum delta_go_layout { DELTA_GO_NONE, DELTA_GO_116, DELTA_GO_118, DELTA_GO_120 };

/* Where values in Go's tables count from. */
struct delta_go {
    enum delta_go_layout layout;
    uint64_t header, text, names, units, files, pctab, rows, types, funcdata, rodata, find;
    uint64_t functions;
};

struct delta_image {
    enum delta_machine machine;
    /* address: words in range are pointers */
    bool fixed;
    bool narrow;  /* 32-bit */
    uint64_t got; /* offsets in 32-bit code count from here */
    struct delta_segments segments;
    bool go_expected; /* 64-bit, with a section of Go's */
    struct delta_go go;
    unsigned regions_n;
    struct delta_region regions[DELTA_REGIONS]; /* ascending, no overlaps */
};

/* A new image and the old one it copies most from: a file or an archive's member. */
struct delta_pair {
    uint32_t old_offset, old_size, new_offset, new_size;
};

/* The region at `offset`, which goes on to *ret_end (exclusive); DELTA_REGION_PLAIN outside of all. */
const struct delta_region *delta_image_region(const struct delta_image *image, uint64_t offset, uint64_t *ret_end);

/* A position: file offset; from here on, an address without a byte in the file. */
#define DELTA_MEMORY (UINT64_C(1) << 40)
#define DELTA_NOWHERE UINT64_MAX

/* DELTA_NOWHERE: no segment. */
uint64_t delta_position_of(const struct delta_segments *segments, uint64_t address);
/* Outside of segments: the offset. */
uint64_t delta_address_of(const struct delta_segments *segments, uint64_t position);
