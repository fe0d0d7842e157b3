/* delta/image/image.h - what a file's bytes mean, as far as predicting references needs it: its segments and its tables.
 *
 * Read from the old file on both sides, so nothing of it is in the patch but the new file's segments. ELF, 32 or 64 bit,
 * little endian; anything else gives an image without segments. Everything bounded; hostile headers only make predictions bad. */
#pragma once

#include <stdint.h>

#include "delta/io/wire.h"

enum { DELTA_SEGMENTS = 12, DELTA_REGIONS = 64 };

enum delta_machine {
    DELTA_MACHINE_NONE,
    DELTA_MACHINE_X86_64,
    DELTA_MACHINE_AARCH64,
    DELTA_MACHINE_ARM,   /* 32 bit: A32 and Thumb-2 */
    DELTA_MACHINE_I386,  /* 32 bit */
    DELTA_MACHINE_RISCV, /* 64 bit */
};

/* A loaded part: file bytes [offset, offset + file_size) are at address; memory beyond them is zero. */
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
    DELTA_REGION_RELA,     /* {address, info, addend}, 64 bit */
    DELTA_REGION_SYMBOLS,  /* Elf64_Sym or Elf32_Sym */
    DELTA_REGION_DYNAMIC,
    DELTA_REGION_EH_HDR,
    DELTA_REGION_EH_FRAME,
    DELTA_REGION_RODATA,
    DELTA_REGION_GO_PCLN,
    DELTA_REGION_REL,          /* {address, info}, 32 bit */
    DELTA_REGION_EXIDX,        /* ARM's unwind table: {function, how}, 31 bits each, relative to their own place */
    DELTA_REGION_RELR,         /* addresses, and odd words: bitmaps of what follows them */
    DELTA_REGION_GO_ROWS,      /* a function's entry and its description's place */
    DELTA_REGION_GO_FUNCTIONS, /* descriptions of functions */
    DELTA_REGION_GO_TYPES,
    DELTA_REGION_GO_OFFSETS, /* 32-bit offsets from `link` */
    DELTA_REGION_GO_FIND,    /* from code to functions */
    DELTA_REGION_GO_DATA,    /* what the collector and tracebacks know of functions */
    DELTA_REGION_KINDS,
};

/* Contexts have room for 16 kinds: those of 32-bit images and those of Go never meet. */
static inline unsigned delta_region_slot(enum delta_region_kind kind)
{
    return kind < 16 ? kind : kind - 16u + DELTA_REGION_REL;
}

struct delta_region {
    uint64_t offset, size, address;
    uint64_t
        link; /* symbols: offset of the string table; relocations: of the symbols; offsets: of what they count from */
    enum delta_region_kind kind;
    bool linkage; /* of the offset table, or a linkage table that jumps through it */
};

enum delta_go_layout { DELTA_GO_NONE, DELTA_GO_116, DELTA_GO_118, DELTA_GO_120 };

/* Of an image made by Go: positions of what its tables count from; 0: not known. */
struct delta_go {
    enum delta_go_layout layout;
    uint64_t header, text, names, units, files, pctab, rows, types, funcdata, rodata, find;
    uint64_t functions; /* how many */
};

struct delta_image {
    enum delta_machine machine;
    bool fixed;   /* linked at a fixed address: words in its range are pointers */
    bool narrow;  /* 32 bit */
    uint64_t got; /* 32 bit: position that offsets in code count from; 0: none */
    struct delta_segments segments;
    bool go_expected; /* there are sections only Go makes */
    struct delta_go go;
    unsigned regions_n;
    struct delta_region regions[DELTA_REGIONS]; /* ascending, not overlapping */
};

/* A file in old, or inside an archive that old is, and the one in new that is made from it. */
struct delta_pair {
    uint32_t old_offset, old_size, new_offset, new_size;
};

/* Kind of the byte at offset; *ret_end is where that stops being so. */
const struct delta_region *delta_image_region(const struct delta_image *image, uint64_t offset, uint64_t *ret_end);

/* Positions: file offsets, and beyond DELTA_MEMORY addresses that no file byte stands for. */
#define DELTA_MEMORY (UINT64_C(1) << 40)
#define DELTA_NOWHERE UINT64_MAX

uint64_t delta_position_of(const struct delta_segments *segments, uint64_t address);
/* The address of a position; an offset outside all segments is its own address. */
uint64_t delta_address_of(const struct delta_segments *segments, uint64_t position);
