/* delta/image/refs.h - references in old bytes: where they are, where they point, what they would be elsewhere.
 *
 * Sites are found by looking at the old bytes only, locally, so both sides find the same ones. A false site costs a few bits. */
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
    DELTA_REF_ADDEND,      /* of a relocation entry */
    DELTA_REF_SELF32,      /* 32 bit, relative to itself */
    DELTA_REF_BASE32,      /* 32 bit, relative to its table */
    DELTA_REF_BACK32,      /* 32 bit, distance back to what it names */
    DELTA_REF_NAME,        /* 32-bit offset into a string table */
    DELTA_REF_TAR_TIME,    /* 8 octal digits of a member's time, from the third on */
    DELTA_REF_TAR_LAST,    /* its last digit */
    DELTA_REF_TAR_SUM,     /* the 6 octal digits of its header's sum */
    DELTA_REF_GO_TEXT,     /* 32-bit offsets in tables of Go: of code */
    DELTA_REF_GO_FUNCTION, /* of the description of a function */
    DELTA_REF_GO_NAME,
    DELTA_REF_GO_PC,   /* of a table by program counter */
    DELTA_REF_GO_UNIT, /* of the files of a unit, counted in words */
    DELTA_REF_GO_DATA, /* of what the collector knows of a function */
    DELTA_REF_GO_TYPE,
    DELTA_REF_SIZE,      /* of the function an unwind entry is about */
    DELTA_REF_GO_BUCKET, /* the number of a function */
    DELTA_REF_GO_PARTS,  /* of four more, from it */
    DELTA_REF_JUMP,      /* in a table of such, from its start */
    DELTA_REF_KINDS,     /* no more than DELTA_REF_SLOTS */

    /* Beyond that, kinds of other processors. Statistics are kept by slot: kinds that never meet in one image share one. */
    DELTA_REF_ARM_B = 33,    /* A32: b, bl */
    DELTA_REF_BLX = 34,      /* to Thumb */
    DELTA_REF_MOVW = 35,     /* the lower half of an address, or of its distance from a pc */
    DELTA_REF_MOVT = 36,     /* the upper one */
    DELTA_REF_ARM_LOAD = 37, /* ldr from a pool */
    DELTA_REF_PLT_HIGH = 38,
    DELTA_REF_PLT_MIDDLE = 39,
    DELTA_REF_PLT_LOW = 40,
    DELTA_REF_PC_WORD = 41,  /* a word in a pool: distance from a pc */
    DELTA_REF_GOT_WORD = 42, /* from the offset table */
    DELTA_REF_ABS32 = 43,
    DELTA_REF_SELF31 = 45,    /* 31 bit, relative to itself */
    DELTA_REF_SYMBOL = 48,    /* a relocation's symbol, by its number in the table */
    DELTA_REF_THUMB_BL = 65,  /* bl, b.w */
    DELTA_REF_THUMB_BLX = 66, /* to A32 */
    DELTA_REF_THUMB_MOVW = 67,
    DELTA_REF_THUMB_MOVT = 68,
    DELTA_REF_THUMB_B20 = 69,       /* b<cond>.w */
    DELTA_REF_THUMB_LOAD = 70,      /* ldr from a pool */
    DELTA_REF_THUMB_LOAD_LONG = 71, /* ldr.w */
    DELTA_REF_THUMB_NEAR = 72,      /* b, b<cond>, cbz, cbnz */
    DELTA_REF_AUIPC = 97,           /* RISC-V */
    DELTA_REF_LOW = 98,             /* the lower part that an auipc lacks */
    DELTA_REF_JAL = 99,
    DELTA_REF_BRANCH = 100,
    DELTA_REF_SHORT_JUMP = 101,   /* c.j */
    DELTA_REF_SHORT_BRANCH = 102, /* c.beqz, c.bnez */
    DELTA_REF_GOT_OFFSET = 132,   /* 32-bit x86: displacement that counts from the offset table */
    DELTA_REF_GOT_PC = 133,       /* the offset table's distance from a return address */
};

enum { DELTA_REF_SLOTS = 32 };

static inline unsigned delta_ref_slot(unsigned kind)
{
    return kind % DELTA_REF_SLOTS;
}

/* Its word says too little of the target to learn from. */
bool delta_ref_is_partial(unsigned kind);

struct delta_ref {
    uint64_t target; /* position in old */
    uint64_t base;   /* old position the value counts from, where it does not from the site; 0: none */
    uint64_t word;   /* old value, whole word or instruction */
    uint32_t at;     /* offset from the start of what was scanned */
    uint8_t kind;
    uint8_t n; /* bytes: 1, 2, 4, 6 or 8 */
    uint8_t
        extra; /* RIP: bytes of an immediate behind the operand; others: of how far base or site is from what counts */
};

enum { DELTA_SCAN_BEFORE = 160, DELTA_SCAN_AFTER = 128 };

/* Sites in code of 32-bit ARM that other places told of: words in pools, upper halves of addresses. */
enum { DELTA_AWAITED = 1024 };

struct delta_awaited {
    struct delta_awaited_site {
        uint32_t at;    /* old position + 1; 0: none */
        uint32_t from;  /* old position the value counts from; 0: none */
        uint32_t value; /* MOVT: the whole */
        uint8_t kind, extra;
    } p[DELTA_AWAITED];
};

/* Sites that start in [0, n) of bytes, which is old[offset..]; bytes[-DELTA_SCAN_BEFORE..n + DELTA_SCAN_AFTER) is
 * readable; all of it is in `region`. None reaches beyond `limit` (>= n). At most (n + 1) / 2 are put in refs. `awaited` (may be
 * NULL) is kept from one call to the next, and empty at first. */
size_t delta_refs_scan(const struct delta_image *image, const struct delta_region *region, const unsigned char *bytes,
                       size_t n, size_t limit, uint64_t offset, struct delta_awaited *awaited, struct delta_ref *refs);

/* What the site's word is when it stands at address `site` and its target (base) moved to these addresses. */
uint64_t delta_ref_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base);

/* The target's address as the word at `site` says; for ADRP and LO12 only a part is known: the rest is taken from `hint`. */
uint64_t delta_ref_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint);
