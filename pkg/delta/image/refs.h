/* SPDX-License-Identifier: Apache-2.0 */
/* delta/image/refs.h - references in old bytes: find them, decode their targets, encode them for other positions.
 *
 * A site is the place of a reference. The scanners look only at old bytes near the site, so encoder and decoder find
 * the same sites. A false site costs a few bits. */
#pragma once

#include "delta/image/image.h"

enum delta_ref_kind {
    DELTA_REF_NONE,
    DELTA_REF_CALL, /* x86-64 instruction e8 */
    DELTA_REF_JMP,  /* x86-64 instruction e9 */
    DELTA_REF_JCC,  /* x86-64 instructions 0f 8x */
    DELTA_REF_RIP,  /* x86-64 disp32 of a rip-relative operand */
    DELTA_REF_BL,   /* AArch64 instructions bl and b */
    DELTA_REF_B19,  /* AArch64 instructions b.cond, cbz, cbnz and ldr (literal) */
    DELTA_REF_B14,  /* AArch64 instructions tbz and tbnz */
    DELTA_REF_ADRP,
    DELTA_REF_LO12, /* AArch64 add, load or store with a base register that an adrp has set */
    DELTA_REF_ADR,
    DELTA_REF_ABS64,
    DELTA_REF_ADDEND,      /* 64-bit addend of a relocation, which is an address */
    DELTA_REF_SELF32,      /* 32-bit value that counts from its own position */
    DELTA_REF_BASE32,      /* 32-bit value that counts from the start of its table */
    DELTA_REF_BACK32,      /* 32-bit distance from the site back to the target */
    DELTA_REF_NAME,        /* 32-bit offset into a string table */
    DELTA_REF_TAR_TIME,    /* octal digits 3 to 10 of a tar member's time */
    DELTA_REF_TAR_LAST,    /* last octal digit of a tar member's time */
    DELTA_REF_TAR_SUM,     /* 6 octal digits of a tar header's checksum */
    DELTA_REF_GO_TEXT,     /* 32-bit offset of code in Go's tables */
    DELTA_REF_GO_FUNCTION, /* offset of a function description in Go's tables */
    DELTA_REF_GO_NAME,
    DELTA_REF_GO_PC,   /* offset of a program counter table in Go's tables */
    DELTA_REF_GO_UNIT, /* offset, in words, of a compilation unit's files in Go's tables */
    DELTA_REF_GO_DATA, /* in Go's tables: offset of the data that a function has for the garbage collector */
    DELTA_REF_GO_TYPE,
    DELTA_REF_SIZE,      /* size of the function that an unwind entry describes */
    DELTA_REF_GO_BUCKET, /* number of the function at the start of a bucket of code (findfunctab) */
    /* four entries of findfunctab, each of which is the number of a part's function minus the number of the bucket's
     * function */
    DELTA_REF_GO_PARTS,
    DELTA_REF_JUMP,  /* entry of a jump table, which counts from the start of the table */
    DELTA_REF_KINDS, /* number of kinds for x86-64 and AArch64; at most DELTA_REF_SLOTS */

    /* Kinds of other processors. A kind's slot is its number modulo DELTA_REF_SLOTS. Each slot has statistics of its
     * own; kinds that never meet in one image share a slot. */
    DELTA_REF_ARM_B = 33,      /* A32 instructions b and bl */
    DELTA_REF_BLX = 34,        /* A32 instruction blx, which leads to Thumb code */
    DELTA_REF_MOVW = 35,       /* A32 movw: lower half of an address, or of a distance from a pc */
    DELTA_REF_MOVT = 36,       /* A32 movt: upper half of an address, or of a distance from a pc */
    DELTA_REF_ARM_LOAD = 37,   /* A32 ldr from a literal pool */
    DELTA_REF_PLT_HIGH = 38,   /* bits 20 to 27 of the distance in an entry of ARM's .plt */
    DELTA_REF_PLT_MIDDLE = 39, /* bits 12 to 19 of this distance */
    DELTA_REF_PLT_LOW = 40,    /* bits 0 to 11 of this distance */
    DELTA_REF_PC_WORD = 41,    /* ARM: word in a literal pool that holds a distance from a pc */
    DELTA_REF_GOT_WORD = 42,   /* ARM: word in a literal pool that holds an offset from the global offset table */
    DELTA_REF_ABS32 = 43,
    DELTA_REF_SELF31 = 45,    /* 31-bit value that counts from its own position */
    DELTA_REF_SYMBOL = 48,    /* number of the symbol of a relocation */
    DELTA_REF_THUMB_BL = 65,  /* Thumb instructions bl and b.w */
    DELTA_REF_THUMB_BLX = 66, /* Thumb instruction blx, which leads to A32 code */
    DELTA_REF_THUMB_MOVW = 67,
    DELTA_REF_THUMB_MOVT = 68,
    DELTA_REF_THUMB_B20 = 69,       /* Thumb instruction b<cond>.w */
    DELTA_REF_THUMB_LOAD = 70,      /* Thumb ldr from a literal pool */
    DELTA_REF_THUMB_LOAD_LONG = 71, /* Thumb ldr.w from a literal pool */
    DELTA_REF_THUMB_NEAR = 72,      /* Thumb instructions b, b<cond>, cbz and cbnz */
    DELTA_REF_AUIPC = 97,           /* RISC-V instruction auipc */
    DELTA_REF_LOW = 98,             /* RISC-V instruction that holds the lower part of an auipc's address */
    DELTA_REF_JAL = 99,
    DELTA_REF_BRANCH = 100,
    DELTA_REF_SHORT_JUMP = 101,   /* RISC-V instruction c.j */
    DELTA_REF_SHORT_BRANCH = 102, /* RISC-V instructions c.beqz and c.bnez */
    DELTA_REF_GOT_OFFSET = 132,   /* 32-bit x86 displacement from the global offset table */
    DELTA_REF_GOT_PC = 133,       /* 32-bit x86 distance of the global offset table from a return address */
};

enum { DELTA_REF_SLOTS = 32 };

static inline unsigned delta_ref_slot(unsigned kind)
{
    return kind % DELTA_REF_SLOTS;
}

/* Returns true if a word of this kind contains too little of the target's address to learn the target's move from the
 * word. */
bool delta_ref_is_partial(unsigned kind);

struct delta_ref {
    uint64_t target; /* position of the target in the old file */
    uint64_t base;   /* old position from which the value counts (0 means the site); see also `extra` */
    uint64_t word;   /* the whole word or instruction in the old file */
    uint32_t at;     /* offset in the scanned bytes */
    uint8_t kind;
    uint8_t n; /* number of bytes of the reference (1, 2, 4, 6 or 8) */
    /* For DELTA_REF_RIP, size of the immediate after the operand. For DELTA_REF_SYMBOL, size of an entry of the symbol
     * table. For DELTA_REF_GO_BUCKET and DELTA_REF_GO_PARTS, offset in the bucket. For other kinds, distance in bytes
     * between `base` (or the site, if `base` is 0) and the position from which the value counts; for example 8 for an
     * ARM instruction, whose pc is 8 bytes after the instruction. */
    uint8_t extra;
};

enum { DELTA_SCAN_BEFORE = 160, DELTA_SCAN_AFTER = 128 };

/* Sites in 32-bit ARM code that the scanner expects because of an earlier site. Such a site is a word in a literal
 * pool, or an instruction that holds the upper half of an address. */
enum { DELTA_ANNOUNCED = 1024 };

struct delta_announced {
    struct delta_announced_site {
        uint32_t at;   /* position of the site in the old file + 1 (0 means an empty entry) */
        uint32_t from; /* old position from which the value counts (0 means none) */
        /* for DELTA_REF_MOVT and DELTA_REF_THUMB_MOVT: the whole address, of which the site holds the upper half */
        uint32_t value;
        uint8_t kind, extra;
    } p[DELTA_ANNOUNCED];
};

/* Finds the sites that start in bytes[0..n). These bytes are the old bytes from `offset` on, and all lie in `region`.
 * bytes[-DELTA_SCAN_BEFORE..n + DELTA_SCAN_AFTER) must be readable. Every site lies within bytes[0..limit), where
 * `limit` is at least n. Fills at most (n + 1) / 2 refs and returns their number. Zero *announced before the first call
 * and keep it between calls; `announced` may be NULL. */
size_t delta_refs_scan(const struct delta_image *image, const struct delta_region *region, const unsigned char *bytes,
                       size_t n, size_t limit, uint64_t offset, struct delta_announced *announced,
                       struct delta_ref *refs);

/* Returns the word that the reference has if its site, target and base are at these addresses. */
uint64_t delta_ref_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base);

/* Returns the address of the target to which `word` at `site` refers. Words of some kinds, such as DELTA_REF_ADRP and
 * DELTA_REF_LO12, contain only a part of the address; `hint` supplies the remaining bits. */
uint64_t delta_ref_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint);
