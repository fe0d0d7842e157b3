/* SPDX-License-Identifier: Apache-2.0 */
/* delta/image/image.h - the segments and tables of an executable image, which the prediction of references needs.
 *
 * Encoder and decoder read the structure of the old image from the old file, so the delta contains only the segments of
 * the new image. Supports little-endian ELF of 32 and 64 bits; any other file counts as an image without segments. All
 * sizes are bounded. Hostile headers can only make predictions bad. */
#pragma once

#include <stdint.h>

#include "delta/io/wire.h"

enum { DELTA_SEGMENTS = 12, DELTA_REGIONS = 64 };

enum delta_machine {
    DELTA_MACHINE_NONE,
    DELTA_MACHINE_X86_64,
    DELTA_MACHINE_AARCH64,
    DELTA_MACHINE_ARM,   /* 32-bit ARM, with A32 and Thumb-2 code */
    DELTA_MACHINE_I386,  /* 32-bit x86 */
    DELTA_MACHINE_RISCV, /* 64-bit RISC-V */
};

/* A loaded segment: the file bytes [offset, offset + file_size) are at `address`; the memory after them is zero. */
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
    DELTA_REGION_POINTERS, /* a table of aligned addresses */
    DELTA_REGION_RELA,     /* 64-bit relocations {address, info, addend} */
    DELTA_REGION_SYMBOLS,  /* a symbol table of Elf64_Sym or Elf32_Sym */
    DELTA_REGION_DYNAMIC,
    DELTA_REGION_EH_HDR,
    DELTA_REGION_EH_FRAME,
    DELTA_REGION_RODATA,
    DELTA_REGION_GO_PCLN,
    DELTA_REGION_REL, /* 32-bit relocations {address, info} */
    /* ARM's unwind table with entries {function, unwind instructions}; both values have 31 bits and count from their
     * own positions */
    DELTA_REGION_EXIDX,
    /* RELR relocations. An even word is an address; an odd word is a bitmap for the words after the latest address. */
    DELTA_REGION_RELR,
    /* Go's function table. For each function, it has the entry and the position of the function's description. */
    DELTA_REGION_GO_ROWS,
    DELTA_REGION_GO_FUNCTIONS, /* Go's descriptions of functions */
    DELTA_REGION_GO_TYPES,
    DELTA_REGION_GO_OFFSETS, /* Go's 32-bit offsets, which count from `link` of struct delta_region */
    DELTA_REGION_GO_FIND,    /* Go's findfunctab, which leads from code to functions */
    DELTA_REGION_GO_DATA,    /* Go's data of functions for the garbage collector and for tracebacks */
    DELTA_REGION_KINDS,
};

/* Returns the number of the kind, from 0 to 15, that goes into the context of a prediction. There are more kinds than
 * numbers, so GO_OFFSETS, GO_FIND and GO_DATA share their numbers with REL, EXIDX and RELR, which Go's images seldom
 * have. */
static inline unsigned delta_region_slot(enum delta_region_kind kind)
{
    return kind < 16 ? kind : kind - 16u + DELTA_REGION_REL;
}

/* A region: a part of the image whose bytes have the same kind, such as a section. */
struct delta_region {
    uint64_t offset, size, address;
    /* For symbols, offset of their string table. For relocations, offset of their symbol table. For Go's offsets, the
     * position from which these offsets count. */
    uint64_t link;
    enum delta_region_kind kind;
    bool linkage; /* true if the region is part of .got or .plt */
};

enum delta_go_layout { DELTA_GO_NONE, DELTA_GO_116, DELTA_GO_118, DELTA_GO_120 };

/* Positions from which the values in Go's tables count. 0 means that the position was not found. */
struct delta_go {
    enum delta_go_layout layout;
    uint64_t header, text, names, units, files, pctab, rows, types, funcdata, rodata, find;
    uint64_t functions; /* number of functions in the function table */
};

struct delta_image {
    enum delta_machine machine;
    /* true if the image is linked at a fixed address, so that a word whose value is an address in the image is a
     * pointer */
    bool fixed;
    bool narrow;  /* true for a 32-bit image */
    uint64_t got; /* the position from which offsets in the code of 32-bit images count (0 means none) */
    struct delta_segments segments;
    bool go_expected; /* true if the image is a 64-bit one with a section that only Go makes */
    struct delta_go go;
    unsigned regions_n;
    struct delta_region regions[DELTA_REGIONS]; /* in ascending order of offset, without overlaps */
};

/* An image in the old file and the image in the new file that copies most from that old image. An image is a whole
 * file or a member of an archive. */
struct delta_pair {
    uint32_t old_offset, old_size, new_offset, new_size;
};

/* Returns the region that contains `offset`, or a region of kind DELTA_REGION_PLAIN if no region of the image contains
 * `offset`. The result is the same for all offsets from `offset` to *ret_end (exclusive). */
const struct delta_region *delta_image_region(const struct delta_image *image, uint64_t offset, uint64_t *ret_end);

/* A position below DELTA_MEMORY is a file offset. A position from DELTA_MEMORY on stands for an address that has no
 * byte in the file. */
#define DELTA_MEMORY (UINT64_C(1) << 40)
#define DELTA_NOWHERE UINT64_MAX

/* Returns the position of an address, or DELTA_NOWHERE if the address is in no segment. */
uint64_t delta_position_of(const struct delta_segments *segments, uint64_t address);
/* Returns the address of a position. A file offset outside all segments is its own address. */
uint64_t delta_address_of(const struct delta_segments *segments, uint64_t position);
