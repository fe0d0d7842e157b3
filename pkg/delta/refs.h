/* delta/refs.h - references in old bytes: where they are, where they point, what they would be elsewhere.
 *
 * Sites are found by looking at the old bytes only, locally, so both sides find the same ones. A false site costs a few bits. */
#pragma once

#include "delta/image.h"

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
    DELTA_REF_ADDEND,   /* of a relocation entry */
    DELTA_REF_SELF32,   /* 32 bit, relative to itself */
    DELTA_REF_BASE32,   /* 32 bit, relative to its table */
    DELTA_REF_BACK32,   /* 32 bit, distance back to what it names */
    DELTA_REF_NAME,     /* 32-bit offset into a string table */
    DELTA_REF_TAR_TIME, /* 8 octal digits of a member's time, from the third on */
    DELTA_REF_TAR_LAST, /* its last digit */
    DELTA_REF_TAR_SUM,  /* the 6 octal digits of its header's sum */
    DELTA_REF_KINDS,
};

struct delta_ref {
    uint64_t target; /* position in old */
    uint64_t base;   /* old position the value counts from, for BASE32 and NAME */
    uint64_t word;   /* old value, whole word or instruction */
    uint32_t at;     /* offset from the start of what was scanned */
    uint8_t kind;
    uint8_t n;         /* bytes: 1, 4, 6 or 8 */
    uint8_t rip_extra; /* RIP: bytes of an immediate behind the operand */
};

enum { DELTA_SCAN_BEFORE = 160, DELTA_SCAN_AFTER = 128 };

/* Sites that start in [0, n) of bytes, which is old[offset..]; bytes[-DELTA_SCAN_BEFORE..n + DELTA_SCAN_AFTER) is
 * readable; all of it is in `region`. None reaches beyond `limit` (>= n). At most (n + 3) / 4 are put in refs. */
size_t delta_refs_scan(const struct delta_image *image, const struct delta_region *region, const unsigned char *bytes,
                       size_t n, size_t limit, uint64_t offset, struct delta_ref *refs);

/* What the site's word is when it stands at address `site` and its target (base) moved to these addresses. */
uint64_t delta_ref_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base);

/* The target's address as the word at `site` says; for ADRP and LO12 only a part is known: the rest is taken from `hint`. */
uint64_t delta_ref_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint);
