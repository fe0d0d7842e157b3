/* SPDX-License-Identifier: Apache-2.0 */
/* References in 32-bit ARM code, A32 and Thumb-2 mixed. In a block of 128 bytes, the number of words with the condition
 * "always" tells the two apart; in Thumb code such halves occur in either position. The scanner decodes Thumb
 * instructions from a little before the window.
 *
 * Most addresses are words in a literal pool behind the function, relative to an instruction that adds pc. At a load
 * of such a word the scanner announces a site there, and likewise at the lower half of an address for the upper one. */
#include "delta/image/refs_scan.h"

enum {
    BLOCK = 128, /* bytes in one mode */
    /* at least this many more in the upper halves of words than in the lower: A32 */
    ALWAYS_LEAST = 8,
    PREWALK = 32,
    LOOK = 96, /* bytes ahead in which to search for the instruction that adds pc */
    PC_THUMB = 4,
    PC_ARM = 8,
};

static uint64_t address_at(const struct delta_scan *s, size_t i)
{
    return delta_address_of(&s->image->segments, s->offset) + i;
}

static bool is_arm(const struct delta_scan *s, int64_t i)
{
    const unsigned char *block = s->bytes + (i - (int64_t)((s->offset + (uint64_t)i) % BLOCK));
    int always = 0;

    for (unsigned k = 0; k < BLOCK; k += 4)
        always += (block[k + 3] >> 3 == 0x1c) - (block[k + 1] >> 3 == 0x1c);
    return always >= ALWAYS_LEAST;
}

/* ---- announced sites -------------------------------------------------------------------------------------------- */

static struct delta_announced_site *slot_of(const struct delta_scan *s, uint64_t position)
{
    return &s->announced->p[position >> 2 & (DELTA_ANNOUNCED - 1)];
}

static void await(struct delta_scan *s, uint64_t position, struct delta_announced_site site)
{
    if (s->announced == NULL || position >= UINT32_MAX)
        return;
    site.at = (uint32_t)position + 1;
    *slot_of(s, position) = site;
}

/* Announces a word in a literal pool to which the instruction at `from` (old position; 0: none) adds its pc. */
static void await_literal(struct delta_scan *s, uint64_t position, uint64_t from, unsigned pc)
{
    if (from == 0 && s->image->fixed)
        await(s, position, (struct delta_announced_site){.kind = DELTA_REF_ABS32});
    else if (from == 0 && s->image->got != 0)
        await(s, position, (struct delta_announced_site){.from = (uint32_t)s->image->got, .kind = DELTA_REF_GOT_WORD});
    else if (from != 0)
        await(s, position,
              (struct delta_announced_site){.from = (uint32_t)from, .extra = (uint8_t)pc, .kind = DELTA_REF_PC_WORD});
}

/* Returns the number of bytes of the announced site at i; 0 if there is none. */
static unsigned take_awaited(struct delta_scan *s, size_t i)
{
    uint64_t position = s->offset + i;
    const struct delta_announced_site *a = s->announced != NULL ? slot_of(s, position) : NULL;

    if (a == NULL || a->at != (uint32_t)position + 1)
        return 0;
    uint32_t word = hf_le32(s->bytes + i);
    uint64_t base = a->from != 0 ? delta_address_of(&s->image->segments, a->from) + a->extra : 0;
    if (a->kind == DELTA_REF_GOT_WORD && (word % 4 != 0 || word >= 0x10000))
        return 4;
    bool half = a->kind == DELTA_REF_MOVT || a->kind == DELTA_REF_THUMB_MOVT;
    struct delta_ref *ref =
        delta_scan_add(s, i, 4, (enum delta_ref_kind)a->kind, half ? a->value + base : word + base, word);
    if (ref != NULL) {
        ref->base = a->from;
        ref->extra = a->extra;
    }
    return 4;
}

/* ---- A32 -------------------------------------------------------------------------------------------------------- */

static uint32_t mov16(uint32_t w)
{
    return (w >> 4 & 0xf000) | (w & 0xfff);
}

/* Decodes the distance of an ldr from a literal pool: 12 bits from bit `at` on, positive if `up` is set. */
static uint32_t put_load(uint32_t w, uint64_t distance, uint32_t up, unsigned at)
{
    uint32_t d = (uint32_t)distance;
    bool back = d >> 31 != 0;

    w &= ~(up | (uint32_t)0xfff << at);
    return w | (back ? 0 : up) | ((back ? 0 - d : d) & 0xfff) << at;
}

static uint64_t load_distance(uint32_t w, uint32_t up, unsigned at)
{
    uint64_t distance = w >> at & 0xfff;

    return (w & up) != 0 ? distance : 0 - distance;
}

enum { ARM_UP = 0x800000, THUMB_UP = 0x80 };

/* Returns the offset of the instruction that adds pc to register r or loads from there, in the words behind i; 0:
 * none. */
static size_t arm_pc_user(const struct delta_scan *s, size_t i, unsigned r)
{
    for (size_t k = i + 4; k < i + LOOK; k += 4) {
        uint32_t w = hf_le32(s->bytes + k);
        if ((w & 0x0fff0fff) == (0x008f0000 | r) || (w & 0x0e5f0fff) == (0x061f0000 | r))
            return k;
        if ((w & 0x0ff0f000) == (0x00800000 | r << 12) && ((w & 15) == 15 || (w >> 16 & 15) == 15))
            return k;
        if ((w & 0x0f7ff000) == (0x051f0000 | r << 12))
            return 0;
    }
    return 0;
}

/* Adds the lower half of a value at i, and announces the upper half at k. The value is a distance from the pc of the
 * instruction that adds it, or an address. */
static void add_halves(struct delta_scan *s, size_t i, size_t k, uint32_t w, struct delta_announced_site high)
{
    unsigned low_kind = high.kind == DELTA_REF_MOVT ? DELTA_REF_MOVW : DELTA_REF_THUMB_MOVW;
    uint64_t base = high.extra != 0 ? address_at(s, (size_t)(high.from - s->offset)) + high.extra : 0;
    struct delta_ref *ref = delta_scan_add(s, i, 4, low_kind, base + high.value, w);

    if (ref == NULL)
        return;
    ref->base = high.from;
    ref->extra = high.extra;
    await(s, s->offset + k, high);
}

/* Handles a movw and its movt. */
static void arm_mov(struct delta_scan *s, size_t i, uint32_t w)
{
    unsigned r = w >> 12 & 15;

    for (size_t k = i + 4; k < i + 36; k += 4) {
        uint32_t next = hf_le32(s->bytes + k);
        if ((next & 0x0ff0f000) != (0x03400000 | r << 12))
            continue;
        uint32_t value = mov16(w) | mov16(next) << 16;
        size_t user = arm_pc_user(s, k, r);
        if (user == 0 && !s->image->fixed)
            return;
        add_halves(s, i, k, w,
                   (struct delta_announced_site){.from = user != 0 ? (uint32_t)(s->offset + user) : 0,
                                                 .value = value,
                                                 .extra = user != 0 ? PC_ARM : 0,
                                                 .kind = DELTA_REF_MOVT});
        return;
    }
}

/* Handles the three instructions of a .plt entry, which hold parts of one distance from the pc of the first. */
static bool arm_plt(struct delta_scan *s, size_t i)
{
    uint32_t w = hf_le32(s->bytes + i), next;
    unsigned back = 0;

    if ((w & 0xffffff00) == 0xe28cca00)
        back = 4;
    else if ((w & 0xfffff000) == 0xe5bcf000)
        back = 8;
    else if ((w & 0xffffff00) != 0xe28fc600)
        return false;
    const unsigned char *first = s->bytes + i - back;
    uint32_t high = hf_le32(first), low = hf_le32(first + 8);
    next = hf_le32(first + 4);
    if ((high & 0xffffff00) != 0xe28fc600 || (next & 0xffffff00) != 0xe28cca00 || (low & 0xfffff000) != 0xe5bcf000)
        return false;
    uint64_t distance = (high & 255) << 20 | (next & 255) << 12 | (low & 0xfff);
    struct delta_ref *ref = delta_scan_add(s, i, 4, (enum delta_ref_kind)(DELTA_REF_PLT_HIGH + back / 4),
                                           address_at(s, i) - back + PC_ARM + distance, w);
    if (ref != NULL)
        ref->extra = (uint8_t)back;
    return true;
}

static void arm_step(struct delta_scan *s, size_t i)
{
    uint32_t w = hf_le32(s->bytes + i);
    uint64_t pc = address_at(s, i) + PC_ARM;

    if ((w >> 28) == 15) {
        if ((w & 0xfe000000) == 0xfa000000)
            (void)delta_scan_add(s, i, 4, DELTA_REF_BLX, pc + delta_sign((w & 0xffffff) << 2 | (w >> 23 & 2), 26), w);
    } else if ((w & 0x0e000000) == 0x0a000000) {
        (void)delta_scan_add(s, i, 4, DELTA_REF_ARM_B, pc + delta_sign((w & 0xffffff) << 2, 26), w);
    } else if ((w & 0x0f7f0000) == 0x051f0000) {
        uint64_t distance = load_distance(w, ARM_UP, 0);
        size_t user = arm_pc_user(s, i, w >> 12 & 15);
        (void)delta_scan_add(s, i, 4, DELTA_REF_ARM_LOAD, pc + distance, w);
        await_literal(s, s->offset + i + PC_ARM + distance, user != 0 ? s->offset + user : 0, PC_ARM);
    } else if ((w & 0x0ff00000) == 0x03000000) {
        arm_mov(s, i, w);
    } else {
        (void)arm_plt(s, i);
    }
}

/* ---- Thumb ------------------------------------------------------------------------------------------------------ */

static bool is_long(uint32_t half)
{
    return half >= 0xe800;
}

/* Packs the distance of bl, blx and b.w into S, J1, J2 and two fields. */
static uint64_t thumb_distance(uint32_t w)
{
    uint32_t sign = w >> 10 & 1, i1 = (w >> 29 & 1) ^ sign ^ 1, i2 = (w >> 27 & 1) ^ sign ^ 1;

    return delta_sign(sign << 24 | i1 << 23 | i2 << 22 | (w & 0x3ff) << 12 | (w >> 15 & 0xffe), 25);
}

static uint32_t thumb_put_distance(uint32_t w, uint64_t distance)
{
    uint32_t d = (uint32_t)distance, sign = d >> 24 & 1, j1 = (d >> 23 & 1) ^ sign ^ 1, j2 = (d >> 22 & 1) ^ sign ^ 1;

    return (w & 0xd000f800) | sign << 10 | (d >> 12 & 0x3ff) | j1 << 29 | j2 << 27 | (d & 0xffe) << 15;
}

/* The same for b<cond>.w. */
static uint64_t thumb_near_distance(uint32_t w)
{
    return delta_sign(
        (w >> 10 & 1) << 20 | (w >> 27 & 1) << 19 | (w >> 29 & 1) << 18 | (w & 0x3f) << 12 | (w >> 15 & 0xffe), 21);
}

static uint32_t thumb_put_near_distance(uint32_t w, uint64_t distance)
{
    uint32_t d = (uint32_t)distance;

    return (w & 0xd000fbc0) | (d >> 20 & 1) << 10 | (d >> 19 & 1) << 27 | (d >> 18 & 1) << 29 | (d >> 12 & 0x3f) |
           (d & 0xffe) << 15;
}

static uint32_t thumb_mov16(uint32_t w)
{
    return (w & 15) << 12 | (w >> 10 & 1) << 11 | (w >> 28 & 7) << 8 | (w >> 16 & 255);
}

static uint32_t thumb_put_mov16(uint32_t w, uint32_t v)
{
    return (w & 0x8f00fbf0) | (v >> 12 & 15) | (v >> 11 & 1) << 10 | (v >> 8 & 7) << 28 | (v & 255) << 16;
}

enum { NEAR_NONE, NEAR_B, NEAR_COND, NEAR_ZERO };

static unsigned thumb_near_form(uint32_t half)
{
    if ((half & 0xf800) == 0xe000)
        return NEAR_B;
    if ((half & 0xf000) == 0xd000 && (half >> 8 & 15) < 14)
        return NEAR_COND;
    return (half & 0xf500) == 0xb100 ? NEAR_ZERO : NEAR_NONE;
}

static uint64_t thumb_short_distance(uint32_t half)
{
    switch (thumb_near_form(half)) {
    case NEAR_B:
        return delta_sign((half & 0x7ff) << 1, 12);
    case NEAR_COND:
        return delta_sign((half & 0xff) << 1, 9);
    default:
        return (half >> 3 & 0x40) | (half >> 2 & 0x3e);
    }
}

static uint32_t thumb_put_short_distance(uint32_t half, uint64_t distance)
{
    uint32_t d = (uint32_t)distance;

    switch (thumb_near_form(half)) {
    case NEAR_B:
        return (half & 0xf800) | (d >> 1 & 0x7ff);
    case NEAR_COND:
        return (half & 0xff00) | (d >> 1 & 0xff);
    default:
        return (half & 0xfd07) | (d & 0x40) << 3 | (d & 0x3e) << 2;
    }
}

/* Returns the offset of "add r, pc" behind i; 0 if another load into r comes first. */
static size_t thumb_pc_user(const struct delta_scan *s, size_t i, unsigned r)
{
    for (size_t k = i; k < i + LOOK;) {
        uint32_t half = hf_le16(s->bytes + k);
        if ((half & 0xff78) == 0x4478 && ((half & 7) | (half >> 4 & 8)) == r)
            return k;
        if ((half & 0xf800) == 0x4800 && (half >> 8 & 7) == r)
            return 0;
        if ((half & 0xff7f) == 0xf85f && (hf_le16(s->bytes + k + 2) >> 12) == r)
            return 0;
        k += is_long(half) ? 4 : 2;
    }
    return 0;
}

static void thumb_load(struct delta_scan *s, size_t i, unsigned size, unsigned r, uint64_t distance)
{
    uint64_t pc = address_at(s, i) + PC_THUMB, at = s->offset + i + PC_THUMB - (pc & 3) + distance;
    size_t user = thumb_pc_user(s, i + size, r);

    (void)delta_scan_add(s, i, size, size == 2 ? DELTA_REF_THUMB_LOAD : DELTA_REF_THUMB_LOAD_LONG,
                         (pc & ~UINT64_C(3)) + distance, size == 2 ? hf_le16(s->bytes + i) : hf_le32(s->bytes + i));
    await_literal(s, at, user != 0 ? s->offset + user : 0, PC_THUMB);
}

static void thumb_mov(struct delta_scan *s, size_t i, uint32_t w)
{
    unsigned r = w >> 24 & 15;

    for (size_t k = i + 4; k < i + 32;) {
        uint32_t next = hf_le32(s->bytes + k);
        if ((next & 0x8f00fbf0) != (0xf2c0 | r << 24)) {
            k += is_long(next & 0xffff) ? 4 : 2;
            continue;
        }
        uint32_t value = thumb_mov16(w) | thumb_mov16(next) << 16;
        size_t user = thumb_pc_user(s, k + 4, r);
        if (user == 0 && !s->image->fixed)
            return;
        add_halves(s, i, k, w,
                   (struct delta_announced_site){.from = user != 0 ? (uint32_t)(s->offset + user) : 0,
                                                 .value = value,
                                                 .extra = user != 0 ? PC_THUMB : 0,
                                                 .kind = DELTA_REF_THUMB_MOVT});
        return;
    }
}

static void thumb_long(struct delta_scan *s, size_t i, uint32_t w)
{
    uint64_t pc = address_at(s, i) + PC_THUMB;

    if ((w & 0x8000f800) == 0x8000f000) {
        if ((w & 0x50000000) == 0x40000000) /* blx, to A32 */
            (void)delta_scan_add(s, i, 4, DELTA_REF_THUMB_BLX, (pc & ~UINT64_C(3)) + thumb_distance(w), w);
        else if ((w & 0x10000000) != 0) /* bl, b.w */
            (void)delta_scan_add(s, i, 4, DELTA_REF_THUMB_BL, pc + thumb_distance(w), w);
        else if ((w >> 6 & 15) < 14)
            (void)delta_scan_add(s, i, 4, DELTA_REF_THUMB_B20, pc + thumb_near_distance(w), w);
    } else if ((w & 0xff7f) == 0xf85f) {
        thumb_load(s, i, 4, w >> 28, load_distance(w, THUMB_UP, 16));
    } else if ((w & 0x8000fbf0) == 0xf240) {
        thumb_mov(s, i, w);
    }
}

/* Decodes the instruction at i, which may precede the window. Returns its size. */
static unsigned thumb_step(struct delta_scan *s, int64_t i)
{
    uint32_t half = hf_le16(s->bytes + i);
    size_t at = (size_t)i;

    if (i >= 0) {
        if (is_long(half))
            thumb_long(s, at, hf_le32(s->bytes + i));
        else if ((half & 0xf800) == 0x4800)
            thumb_load(s, at, 2, half >> 8 & 7, (half & 255) << 2);
        else if (thumb_near_form(half) != NEAR_NONE)
            (void)delta_scan_add(s, at, 2, DELTA_REF_THUMB_NEAR,
                                 address_at(s, at) + PC_THUMB + thumb_short_distance(half), half);
    }
    return is_long(half) ? 4 : 2;
}

void delta_scan_arm(struct delta_scan *s)
{
    int64_t i = -(int64_t)(PREWALK + (s->offset & 1));
    uint64_t block = UINT64_MAX;
    bool arm = false;

    while (i < (int64_t)s->n) {
        uint64_t position = s->offset + (uint64_t)i;
        unsigned taken;
        if (position / BLOCK != block) {
            block = position / BLOCK;
            arm = is_arm(s, i);
        }
        if (i >= 0 && (taken = take_awaited(s, (size_t)i)) > 0) {
            i += taken;
        } else if (!arm) {
            i += thumb_step(s, i);
        } else if ((position & 3) != 0) {
            i += 2;
        } else {
            if (i >= 0)
                arm_step(s, (size_t)i);
            i += 4;
        }
    }
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

uint64_t delta_arm_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base)
{
    uint32_t w = (uint32_t)ref->word, far = (uint32_t)(target - base - ref->extra);
    uint64_t distance = target - site;

    switch (ref->kind) {
    case DELTA_REF_ARM_B:
        return (w & 0xff000000) | (uint32_t)((distance - PC_ARM) >> 2 & 0xffffff);
    case DELTA_REF_BLX:
        return (w & 0xfe000000) | (uint32_t)((distance - PC_ARM) >> 2 & 0xffffff) |
               (uint32_t)((distance - PC_ARM) >> 1 & 1) << 24;
    case DELTA_REF_PLT_HIGH:
        return (w & 0xffffff00) | (uint32_t)((distance - PC_ARM) >> 20 & 255);
    case DELTA_REF_PLT_MIDDLE:
        return (w & 0xffffff00) | (uint32_t)((distance + ref->extra - PC_ARM) >> 12 & 255);
    case DELTA_REF_PLT_LOW:
        return (w & 0xfffff000) | (uint32_t)((distance + ref->extra - PC_ARM) & 0xfff);
    case DELTA_REF_THUMB_BL:
        return thumb_put_distance(w, distance - PC_THUMB);
    case DELTA_REF_THUMB_BLX:
        return thumb_put_distance(w, target - ((site + PC_THUMB) & ~UINT64_C(3)));
    case DELTA_REF_THUMB_B20:
        return thumb_put_near_distance(w, distance - PC_THUMB);
    case DELTA_REF_THUMB_NEAR:
        return thumb_put_short_distance(w, distance - PC_THUMB);
    case DELTA_REF_ARM_LOAD:
        return put_load(w, distance - PC_ARM, ARM_UP, 0);
    case DELTA_REF_THUMB_LOAD:
        return (w & 0xff00) | (uint32_t)((target - ((site + PC_THUMB) & ~UINT64_C(3))) >> 2 & 255);
    case DELTA_REF_THUMB_LOAD_LONG:
        return put_load(w, target - ((site + PC_THUMB) & ~UINT64_C(3)), THUMB_UP, 16);
    case DELTA_REF_MOVW:
        return (w & 0xfff0f000) | (far & 0xfff) | (far & 0xf000) << 4;
    case DELTA_REF_MOVT:
        return (w & 0xfff0f000) | (far >> 16 & 0xfff) | (far >> 28) << 16;
    case DELTA_REF_THUMB_MOVW:
        return thumb_put_mov16(w, far & 0xffff);
    case DELTA_REF_THUMB_MOVT:
        return thumb_put_mov16(w, far >> 16);
    default: /* PC_WORD, GOT_WORD */
        return far;
    }
}

uint64_t delta_arm_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint)
{
    uint32_t w = (uint32_t)word, was = (uint32_t)(hint - base - ref->extra);
    uint64_t from = base + ref->extra;

    switch (ref->kind) {
    case DELTA_REF_ARM_B:
        return site + PC_ARM + delta_sign((w & 0xffffff) << 2, 26);
    case DELTA_REF_BLX:
        return site + PC_ARM + delta_sign((w & 0xffffff) << 2 | (w >> 23 & 2), 26);
    case DELTA_REF_PLT_LOW: {
        uint64_t start = site - ref->extra + PC_ARM;
        return start + ((hint - start) & ~UINT64_C(0xfff)) + (w & 0xfff);
    }
    case DELTA_REF_THUMB_BL:
        return site + PC_THUMB + thumb_distance(w);
    case DELTA_REF_THUMB_BLX:
        return ((site + PC_THUMB) & ~UINT64_C(3)) + thumb_distance(w);
    case DELTA_REF_THUMB_B20:
        return site + PC_THUMB + thumb_near_distance(w);
    case DELTA_REF_THUMB_NEAR:
        return site + PC_THUMB + thumb_short_distance(w);
    case DELTA_REF_ARM_LOAD:
        return site + PC_ARM + load_distance(w, ARM_UP, 0);
    case DELTA_REF_THUMB_LOAD:
        return ((site + PC_THUMB) & ~UINT64_C(3)) + ((w & 255) << 2);
    case DELTA_REF_THUMB_LOAD_LONG:
        return ((site + PC_THUMB) & ~UINT64_C(3)) + load_distance(w, THUMB_UP, 16);
    case DELTA_REF_MOVW:
        return (from + ((was & 0xffff0000) | mov16(w))) & UINT32_MAX;
    case DELTA_REF_THUMB_MOVW:
        return (from + ((was & 0xffff0000) | thumb_mov16(w))) & UINT32_MAX;
    case DELTA_REF_PC_WORD:
    case DELTA_REF_GOT_WORD:
        return (from + w) & UINT32_MAX;
    default: /* the upper half of an address holds too little */
        return hint;
    }
}
