/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and tables of an executable image, by which references are predicted. Encoder and decoder read the old
 * image; the delta has the new image's segments. Only little-endian ELF images have segments. Hostile headers only make
 * predictions bad. */
#pragma once

#include <stdint.h>

#include "delta/io/wire.h"

enum { DELTA_SEGMENTS = 12, DELTA_REGIONS = 64 };

enum delta_machine {
    DELTA_MACHINE_NONE,
    DELTA_MACHINE_X86_64,
    DELTA_MACHINE_AARCH64,
    DELTA_MACHINE_ARM,
    DELTA_MACHINE_I386,
    DELTA_MACHINE_RISCV,
};

/* in memory: file_size bytes of the file, then zeros */
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
    DELTA_REGION_POINTERS,
    DELTA_REGION_RELA,
    DELTA_REGION_SYMBOLS,
    DELTA_REGION_DYNAMIC,
    DELTA_REGION_EH_HDR,
    DELTA_REGION_EH_FRAME,
    DELTA_REGION_RODATA,
    DELTA_REGION_GO_PCLN,
    DELTA_REGION_REL,
    DELTA_REGION_EXIDX, /* ARM's unwind table {function, instructions}, self-relative */
    DELTA_REGION_RELR,
    DELTA_REGION_GO_ROWS,
    DELTA_REGION_GO_FUNCTIONS,
    DELTA_REGION_GO_TYPES,
    DELTA_REGION_GO_OFFSETS, /* 32-bit offsets that count from `link` */
    DELTA_REGION_GO_FIND,
    DELTA_REGION_GO_DATA,
    DELTA_REGION_KINDS,
};

/* Returns a number below 16 for a kind. */
static inline unsigned delta_region_slot(enum delta_region_kind kind)
{
    return kind < 16 ? kind : kind - 16u + DELTA_REGION_REL;
}

/* A part of the file with one kind of content, such as a section. */
struct delta_region {
    uint64_t offset, size, address;
    /* Offset of the string table (for symbols), the symbol table (for relocations), or where GO_OFFSETS count from. */
    uint64_t link;
    enum delta_region_kind kind;
    bool linkage;
};

enum delta_go_layout { DELTA_GO_NONE, DELTA_GO_116, DELTA_GO_118, DELTA_GO_120 };

struct delta_go {
    enum delta_go_layout layout;
    uint64_t header, text, names, units, files, pctab, rows, types, funcdata, rodata, find;
    uint64_t functions;
};

struct delta_image {
    enum delta_machine machine;
    /* linked at a fixed address: words of constant data that may be addresses are taken for them */
    bool fixed;
    bool narrow;
    uint64_t got; /* offset of the global offset table */
    struct delta_segments segments;
    bool go_expected;
    struct delta_go go;
    unsigned regions_n;
    struct delta_region regions[DELTA_REGIONS]; /* ascending */
};

/* A new image and the old one that it copies most from; each a file, or a member of an archive. */
struct delta_pair {
    uint32_t old_offset, old_size, new_offset, new_size;
};

/* Returns the region at `offset`, DELTA_REGION_PLAIN if there is none, and its end (exclusive). */
const struct delta_region *delta_image_region(const struct delta_image *image, uint64_t offset, uint64_t *ret_end);

/* A position is a file offset or, for an address that has no byte in the file, DELTA_MEMORY + that address. */
#define DELTA_MEMORY (UINT64_C(1) << 40)
#define DELTA_NOWHERE UINT64_MAX

/* DELTA_NOWHERE: no segment has the address. */
uint64_t delta_position_of(const struct delta_segments *segments, uint64_t address);
/* Returns a file offset itself if no segment contains it. */
uint64_t delta_address_of(const struct delta_segments *segments, uint64_t position);
