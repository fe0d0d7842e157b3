/* delta/image/refs.h - references in old bytes: find them, decode their targets, encode them for other positions.
 *
 * A site is the place of a reference. The scanners look only at old bytes near the site, so encoder and decoder find
 * the same sites. A false site costs a few bits. */
#pragma once

#include "delta/image/image.h"

enum delta_ref_kind {
    DELTA_REF_NONE,
    DELTA_REF_CALL, /* x86-64: e8 */
    DELTA_REF_JMP,  /* e9 */
    DELTA_REF_JCC,  /* 0f 8x */
    DELTA_REF_RIP,  /* disp32 of a rip-relative operand */
    DELTA_REF_BL,   /* AArch64: bl, b */
    DELTA_REF_B19,  /* b.cond, cbz, ldr literal */
    DELTA_REF_B14,  /* tbz */
    DELTA_REF_ADRP,
    DELTA_REF_LO12, /* add or load/store whose base register an adrp set */
    DELTA_REF_ADR,
    DELTA_REF_ABS64,
    DELTA_REF_ADDEND,      /* 32 bit, counts from its own position */
    DELTA_REF_SELF32,      /* 32 bit, counts from the start of its table */
    DELTA_REF_BASE32,      /* 32 bit, distance from the target to the site */
    DELTA_REF_BACK32,      /* 32 bit, distance back to its target */
    DELTA_REF_NAME,        /* 32-bit offset into a string table */
    DELTA_REF_TAR_TIME,    /* 8 octal digits of a member's time, starting with the third */
    DELTA_REF_TAR_LAST,    /* last digit of the time */
    DELTA_REF_TAR_SUM,     /* 6 octal digits of the header's checksum */
    DELTA_REF_GO_TEXT,     /* 32-bit offset in Go's tables: code */
    DELTA_REF_GO_FUNCTION, /* function description */
    DELTA_REF_GO_NAME,
    DELTA_REF_GO_PC,   /* program counter table */
    DELTA_REF_GO_UNIT, /* files of a compilation unit, in words */
    DELTA_REF_GO_DATA, /* function data for the garbage collector */
    DELTA_REF_GO_TYPE,
    DELTA_REF_SIZE,      /* size of the function of an unwind entry */
    DELTA_REF_GO_BUCKET, /* number of the function at the start of a bucket of code (findfunctab) */
    DELTA_REF_GO_PARTS,  /* four differences from that number */
    DELTA_REF_JUMP,      /* entry of a jump table, counts from the start of the table */
    DELTA_REF_KINDS,     /* at most DELTA_REF_SLOTS */

    /* Kinds of other processors. Each slot has statistics of its own; kinds that never meet in one image share a
     * slot. */
    DELTA_REF_ARM_B = 33,    /* A32: b, bl */
    DELTA_REF_BLX = 34,      /* to Thumb */
    DELTA_REF_MOVW = 35,     /* lower half of an address, or of a distance from a pc */
    DELTA_REF_MOVT = 36,     /* upper half */
    DELTA_REF_ARM_LOAD = 37, /* ldr from a literal pool */
    DELTA_REF_PLT_HIGH = 38,
    DELTA_REF_PLT_MIDDLE = 39,
    DELTA_REF_PLT_LOW = 40,
    DELTA_REF_PC_WORD = 41,  /* word in a literal pool: distance from a pc */
    DELTA_REF_GOT_WORD = 42, /* offset from the global offset table */
    DELTA_REF_ABS32 = 43,
    DELTA_REF_SELF31 = 45,    /* 31 bit, relative to itself */
    DELTA_REF_SYMBOL = 48,    /* number of a relocation's symbol */
    DELTA_REF_THUMB_BL = 65,  /* bl, b.w */
    DELTA_REF_THUMB_BLX = 66, /* to A32 */
    DELTA_REF_THUMB_MOVW = 67,
    DELTA_REF_THUMB_MOVT = 68,
    DELTA_REF_THUMB_B20 = 69,       /* b<cond>.w */
    DELTA_REF_THUMB_LOAD = 70,      /* ldr from a literal pool */
    DELTA_REF_THUMB_LOAD_LONG = 71, /* ldr.w */
    DELTA_REF_THUMB_NEAR = 72,      /* b, b<cond>, cbz, cbnz */
    DELTA_REF_AUIPC = 97,           /* RISC-V */
    DELTA_REF_LOW = 98,             /* instruction with the lower part of an auipc's address */
    DELTA_REF_JAL = 99,
    DELTA_REF_BRANCH = 100,
    DELTA_REF_SHORT_JUMP = 101,   /* c.j */
    DELTA_REF_SHORT_BRANCH = 102, /* c.beqz, c.bnez */
    DELTA_REF_GOT_OFFSET = 132,   /* 32-bit x86: displacement from the global offset table */
    DELTA_REF_GOT_PC = 133,       /* distance of the global offset table from a return address */
};

enum { DELTA_REF_SLOTS = 32 };

static inline unsigned delta_ref_slot(unsigned kind)
{
    return kind % DELTA_REF_SLOTS;
}

/* Returns true if a word of this kind contains too little of the target's address for learning the target's move. */
bool delta_ref_is_partial(unsigned kind);

struct delta_ref {
    uint64_t target; /* position in old */
    uint64_t base;   /* old position from which the value counts; 0: the value counts from the site */
    uint64_t word;   /* old value: the whole word or instruction */
    uint32_t at;     /* offset in the scanned bytes */
    uint8_t kind;
    uint8_t n; /* number of bytes: 1, 2, 4, 6 or 8 */
    /* DELTA_REF_RIP: size of the immediate after the operand. DELTA_REF_SYMBOL: size of an entry of the symbol table.
     * DELTA_REF_GO_BUCKET and DELTA_REF_GO_PARTS: offset in the bucket. Other kinds: distance between `base` (the site
     * if base is 0) and the position that the value counts from. */
    uint8_t extra;
};

enum { DELTA_SCAN_BEFORE = 160, DELTA_SCAN_AFTER = 128 };

/* Sites in 32-bit ARM code that the scanner expects because of an earlier site: words in literal pools, and upper
 * halves of addresses. */
enum { DELTA_ANNOUNCED = 1024 };

struct delta_announced {
    struct delta_announced_site {
        uint32_t at;    /* position of the site in the old file + 1; 0: none */
        uint32_t from;  /* old position from which the value counts; 0: none */
        uint32_t value; /* MOVT: the whole address */
        uint8_t kind, extra;
    } p[DELTA_ANNOUNCED];
};

/* Finds the sites that start in bytes[0..n), which are the old bytes from `offset` on, all in `region`.
 * bytes[-DELTA_SCAN_BEFORE..n + DELTA_SCAN_AFTER) must be readable. No site ends beyond bytes[limit), where limit >=
 * n. Fills at most (n + 1) / 2 refs and returns their number. `announced` (may be NULL) is empty at first and kept
 * between calls. */
size_t delta_refs_scan(const struct delta_image *image, const struct delta_region *region, const unsigned char *bytes,
                       size_t n, size_t limit, uint64_t offset, struct delta_announced *announced,
                       struct delta_ref *refs);

/* Returns the word that the reference has if the site, the target and the base are at these addresses. */
uint64_t delta_ref_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base);

/* Returns the address of the target to which `word` at `site` refers. DELTA_REF_ADRP and DELTA_REF_LO12 contain only
 * a part of the address; `hint` supplies the remaining bits. */
uint64_t delta_ref_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint);
