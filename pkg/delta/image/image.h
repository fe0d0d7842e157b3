/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and tables of an executable image, for predicting references. Both sides read the old image; the delta has
 * only the new image's segments. Little-endian ELF of 32 and 64 bits; other files have no segments. Sizes are bounded;
 * hostile headers only make predictions bad. */
#pragma once

#include <stdint.h>

#include "delta/io/wire.h"

enum { DELTA_SEGMENTS = 12, DELTA_REGIONS = 64 };

enum delta_machine {
    DELTA_MACHINE_NONE,
    DELTA_MACHINE_X86_64,
    DELTA_MACHINE_AARCH64,
    DELTA_MACHINE_ARM,   /* 32-bit, A32 and Thumb-2 */
    DELTA_MACHINE_I386,  /* 32-bit */
    DELTA_MACHINE_RISCV, /* 64-bit */
};

/* The file's bytes are at `address`, then zeros. */
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
    DELTA_REGION_RELR,  /* an even word is an address, an odd one a bitmap for the words after it */
    /* Go's function table: entry and description */
    DELTA_REGION_GO_ROWS,
    DELTA_REGION_GO_FUNCTIONS, /* Go's descriptions of functions */
    DELTA_REGION_GO_TYPES,
    DELTA_REGION_GO_OFFSETS, /* Go's 32-bit offsets from `link` */
    DELTA_REGION_GO_FIND,    /* findfunctab */
    DELTA_REGION_GO_DATA,    /* for the garbage collector and tracebacks */
    DELTA_REGION_KINDS,
};

/* The kind, 0 to 15, in a prediction's context. Go's last three share with REL, EXIDX and RELR, which Go's images
 * seldom have. */
static inline unsigned delta_region_slot(enum delta_region_kind kind)
{
    return kind < 16 ? kind : kind - 16u + DELTA_REGION_REL;
}

/* A part of the image with bytes of one kind, such as a section. */
struct delta_region {
    uint64_t offset, size, address;
    /* Symbols: offset of the string table; relocations: the symbol table's; Go's offsets: where they count from. */
    uint64_t link;
    enum delta_region_kind kind;
    bool linkage; /* in .got or .plt */
};

enum delta_go_layout { DELTA_GO_NONE, DELTA_GO_116, DELTA_GO_118, DELTA_GO_120 };

/* Positions from which values in Go's tables count; 0: not found. */
struct delta_go {
    enum delta_go_layout layout;
    uint64_t header, text, names, units, files, pctab, rows, types, funcdata, rodata, find;
    uint64_t functions;
};

struct delta_image {
    enum delta_machine machine;
    /* linked at a fixed address: words in its range are pointers */
    bool fixed;
    bool narrow;  /* 32-bit */
    uint64_t got; /* from which offsets in 32-bit code count; 0: none */
    struct delta_segments segments;
    bool go_expected; /* 64-bit, with a section that only Go makes */
    struct delta_go go;
    unsigned regions_n;
    struct delta_region regions[DELTA_REGIONS]; /* ascending, without overlaps */
};

/* A new image and the old one that it copies most from: a whole file or a member of an archive. */
struct delta_pair {
    uint32_t old_offset, old_size, new_offset, new_size;
};

/* The region at `offset`, which goes on to *ret_end (exclusive); DELTA_REGION_PLAIN outside of all. */
const struct delta_region *delta_image_region(const struct delta_image *image, uint64_t offset, uint64_t *ret_end);

/* A position is a file offset, or, from here on, an address without a byte in the file. */
#define DELTA_MEMORY (UINT64_C(1) << 40)
#define DELTA_NOWHERE UINT64_MAX

/* DELTA_NOWHERE: in no segment. */
uint64_t delta_position_of(const struct delta_segments *segments, uint64_t address);
/* A file offset outside all segments is its own address. */
uint64_t delta_address_of(const struct delta_segments *segments, uint64_t position);
