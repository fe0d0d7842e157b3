/* SPDX-License-Identifier: Apache-2.0 */
/* Finds references in old bytes, and encodes them for another place. A reference mostly depends on the address of a
 * target, and stands at a site. Scanners use only old bytes, so encoder and decoder find the same sites; a false site
 * costs a few bits. FORMAT.md lists the kinds. */
#pragma once

#include "delta/image/image.h"

enum delta_ref_kind {
    DELTA_REF_NONE,
    DELTA_REF_CALL,
    DELTA_REF_JMP,
    DELTA_REF_JCC,
    DELTA_REF_RIP,
    DELTA_REF_BL,
    DELTA_REF_B19,
    DELTA_REF_B14,
    DELTA_REF_ADRP,
    DELTA_REF_LO12,
    DELTA_REF_ADR,
    DELTA_REF_ABS64,
    DELTA_REF_ADDEND,
    DELTA_REF_SELF32,
    DELTA_REF_BASE32,
    DELTA_REF_BACK32,
    DELTA_REF_NAME,
    DELTA_REF_TAR_TIME,
    DELTA_REF_TAR_LAST,
    DELTA_REF_TAR_SUM,
    DELTA_REF_GO_TEXT,
    DELTA_REF_GO_FUNCTION,
    DELTA_REF_GO_NAME,
    DELTA_REF_GO_PC,
    DELTA_REF_GO_UNIT,
    DELTA_REF_GO_DATA,
    DELTA_REF_GO_TYPE,
    DELTA_REF_SIZE,
    DELTA_REF_GO_BUCKET,
    DELTA_REF_GO_PARTS,
    DELTA_REF_JUMP,
    DELTA_REF_KINDS,

    /* Kinds mostly of machines other than x86-64 and AArch64. Statistics are kept by slot, the number modulo
     * DELTA_REF_SLOTS; several kinds may share one. */
    DELTA_REF_ARM_B = 33,
    DELTA_REF_BLX = 34,
    DELTA_REF_MOVW = 35,
    DELTA_REF_MOVT = 36,
    DELTA_REF_ARM_LOAD = 37,
    DELTA_REF_PLT_HIGH = 38,
    DELTA_REF_PLT_MIDDLE = 39,
    DELTA_REF_PLT_LOW = 40,
    DELTA_REF_PC_WORD = 41,
    DELTA_REF_GOT_WORD = 42,
    DELTA_REF_ABS32 = 43,
    DELTA_REF_SELF31 = 45,
    DELTA_REF_SYMBOL = 48,
    DELTA_REF_THUMB_BL = 65,
    DELTA_REF_THUMB_BLX = 66,
    DELTA_REF_THUMB_MOVW = 67,
    DELTA_REF_THUMB_MOVT = 68,
    DELTA_REF_THUMB_B20 = 69,
    DELTA_REF_THUMB_LOAD = 70,
    DELTA_REF_THUMB_LOAD_LONG = 71,
    DELTA_REF_THUMB_NEAR = 72,
    DELTA_REF_AUIPC = 97,
    DELTA_REF_LOW = 98,
    DELTA_REF_JAL = 99,
    DELTA_REF_BRANCH = 100,
    DELTA_REF_SHORT_JUMP = 101,
    DELTA_REF_SHORT_BRANCH = 102,
    DELTA_REF_GOT_OFFSET = 132,
    DELTA_REF_GOT_PC = 133,
};

enum { DELTA_REF_SLOTS = 32 };

static inline unsigned delta_ref_slot(unsigned kind)
{
    return kind % DELTA_REF_SLOTS;
}

/* Whether a word of this kind is taken not to show how its target moved. */
bool delta_ref_is_partial(unsigned kind);

struct delta_ref {
    uint64_t target; /* mostly a position in the old file */
    uint64_t base;   /* old position from which the value counts; 0: no such */
    uint64_t word;
    uint32_t at;
    uint8_t kind;
    uint8_t n; /* bytes: 1, 2, 4, 6 or 8 */
    /* a number that the kind defines, such as the distance of an ARM pc from `base` */
    uint8_t extra;
};

enum { DELTA_SCAN_BEFORE = 160, DELTA_SCAN_AFTER = 128 };

/* Sites in ARM code that an earlier instruction announces: words of literal pools, upper halves of addresses. */
enum { DELTA_ANNOUNCED = 1024 };

struct delta_announced {
    struct delta_announced_site {
        uint32_t at; /* old position + 1; 0: empty */
        uint32_t from;
        uint32_t value;
        uint8_t kind, extra;
    } p[DELTA_ANNOUNCED];
};

/* Finds sites that start in bytes[0..n), the old bytes at `offset`, and end by `limit` >= n. DELTA_SCAN_BEFORE bytes
 * before and DELTA_SCAN_AFTER behind must be readable. Returns the number of sites, at most (n + 1) / 2. Zero
 * *announced (may be NULL) first, and keep it between calls. */
size_t delta_refs_scan(const struct delta_image *image, const struct delta_region *region, const unsigned char *bytes,
                       size_t n, size_t limit, uint64_t offset, struct delta_announced *announced,
                       struct delta_ref *refs);

uint64_t delta_ref_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base);

/* Returns the target's address; the address `hint` has the bits that ADRP, LO12 and such lack. */
uint64_t delta_ref_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint);
