/* SPDX-License-Identifier: Apache-2.0 */
/* References in old bytes: find, decode, encode elsewhere. A site is a reference's place. Scanners look at old bytes
 * nearby alone, so both sides find the same sites; a false one costs a few bits. */
#pragma once

#include "delta/image/image.h"

enum delta_ref_kind {
    DELTA_REF_NONE,
    DELTA_REF_CALL, /* x86-64: e8 */
    DELTA_REF_JMP,  /* e9 */
    DELTA_REF_JCC,  /* 0f 8x */
    DELTA_REF_RIP,  /* disp32, rip-relative */
    DELTA_REF_BL,   /* AArch64: bl, b */
    DELTA_REF_B19,  /* b.cond, cbz, cbnz, ldr (literal) */
    DELTA_REF_B14,  /* tbz, tbnz */
    DELTA_REF_ADRP,
    DELTA_REF_LO12, /* add, load or store by an adrp's register */
    DELTA_REF_ADR,
    DELTA_REF_ABS64,
    DELTA_REF_ADDEND,   /* a relocation's */
    DELTA_REF_SELF32,   /* 32 bits, relative to the site */
    DELTA_REF_BASE32,   /* 32 bits, relative to the table */
    DELTA_REF_BACK32,   /* 32 bits, distance back from the site */
    DELTA_REF_NAME,     /* string's 32-bit offset */
    DELTA_REF_TAR_TIME, /* octal digits 3 to 10 */
    DELTA_REF_TAR_LAST, /* last octal digit */
    DELTA_REF_TAR_SUM,  /* 6 octal digits */
    DELTA_REF_GO_TEXT,
    DELTA_REF_GO_FUNCTION, /* description */
    DELTA_REF_GO_NAME,
    DELTA_REF_GO_PC,   /* program counter table */
    DELTA_REF_GO_UNIT, /* unit's files, in words */
    DELTA_REF_GO_DATA, /* for the garbage collector */
    DELTA_REF_GO_TYPE,
    DELTA_REF_SIZE,      /* unwind entry's function */
    DELTA_REF_GO_BUCKET, /* findfunctab's */
    DELTA_REF_GO_PARTS,  /* four parts', minus the bucket's */
    DELTA_REF_JUMP,      /* jump table's, from its start */
    DELTA_REF_KINDS,     /* up to here x86-64 and AArch64; <= DELTA_REF_SLOTS */

    /* Others. The slot, for own statistics, is the number modulo DELTA_REF_SLOTS; kinds of one slot never meet in an
     * image. */
    DELTA_REF_ARM_B = 33,      /* A32 b, bl */
    DELTA_REF_BLX = 34,        /* A32 to Thumb */
    DELTA_REF_MOVW = 35,       /* A32, lower half of an address, or distance from a pc */
    DELTA_REF_MOVT = 36,       /* upper half */
    DELTA_REF_ARM_LOAD = 37,   /* from a literal pool */
    DELTA_REF_PLT_HIGH = 38,   /* .plt: bits 20 to 27 of the distance */
    DELTA_REF_PLT_MIDDLE = 39, /* bits 12 to 19 */
    DELTA_REF_PLT_LOW = 40,    /* bits 0 to 11 */
    DELTA_REF_PC_WORD = 41,    /* literal: from a pc */
    DELTA_REF_GOT_WORD = 42,   /* literal: in the GOT */
    DELTA_REF_ABS32 = 43,
    DELTA_REF_SELF31 = 45,    /* 31 bits, from the site */
    DELTA_REF_SYMBOL = 48,    /* a relocation's */
    DELTA_REF_THUMB_BL = 65,  /* bl, b.w */
    DELTA_REF_THUMB_BLX = 66, /* to A32 */
    DELTA_REF_THUMB_MOVW = 67,
    DELTA_REF_THUMB_MOVT = 68,
    DELTA_REF_THUMB_B20 = 69, /* b<cond>.w */
    DELTA_REF_THUMB_LOAD = 70,
    DELTA_REF_THUMB_LOAD_LONG = 71, /* ldr.w */
    DELTA_REF_THUMB_NEAR = 72,      /* b, b<cond>, cbz, cbnz */
    DELTA_REF_AUIPC = 97,
    DELTA_REF_LOW = 98, /* behind an auipc */
    DELTA_REF_JAL = 99,
    DELTA_REF_BRANCH = 100,
    DELTA_REF_SHORT_JUMP = 101,   /* c.j */
    DELTA_REF_SHORT_BRANCH = 102, /* c.beqz, c.bnez */
    DELTA_REF_GOT_OFFSET = 132,   /* x86, from the GOT */
    DELTA_REF_GOT_PC = 133,       /* x86, GOT from a return address */
};

enum { DELTA_REF_SLOTS = 32 };

static inline unsigned delta_ref_slot(unsigned kind)
{
    return kind % DELTA_REF_SLOTS;
}

/* Its word has too little of the address to teach the target's move. */
bool delta_ref_is_partial(unsigned kind);

struct delta_ref {
    uint64_t target; /* old */
    uint64_t base;   /* value counts from here; 0: site */
    uint64_t word;   /* old */
    uint32_t at;     /* in scanned bytes */
    uint8_t kind;
    uint8_t n; /* 1, 2, 4, 6 or 8 bytes */
    /* RIP: size of the immediate. SYMBOL: symbol table's entry. GO_BUCKET, GO_PARTS: offset in the bucket. Others: from
     * `base` to where the value counts from, as 8 for an ARM pc. */
    uint8_t extra;
};

enum { DELTA_SCAN_BEFORE = 160, DELTA_SCAN_AFTER = 128 };

/* Sites in ARM code that others announce: words of literal pools, upper halves of addresses. */
enum { DELTA_ANNOUNCED = 1024 };

struct delta_announced {
    struct delta_announced_site {
        uint32_t at;    /* + 1; 0: empty */
        uint32_t from;  /* counts from here */
        uint32_t value; /* MOVT: whole address */
        uint8_t kind, extra;
    } p[DELTA_ANNOUNCED];
};

/* Sites that start in bytes[0..n), old bytes at `offset`, in `region`, and end by `limit` >= n; DELTA_SCAN_BEFORE and
 * _AFTER more must be readable. (n + 1) / 2 refs at most. *announced (may be NULL): zeros at first, kept. */
size_t delta_refs_scan(const struct delta_image *image, const struct delta_region *region, const unsigned char *bytes,
                       size_t n, size_t limit, uint64_t offset, struct delta_announced *announced,
                       struct delta_ref *refs);

uint64_t delta_ref_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base);

/* Address; `hint` has the bits that ADRP, LO12 and such lack. */
uint64_t delta_ref_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint);
