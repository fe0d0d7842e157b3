/* SPDX-License-Identifier: Apache-2.0 */
/* References in 64-bit RISC-V code with compressed instructions. auipc sets the upper part of a distance; later
 * instructions with its register add the lower part, relative to the auipc. */
#include "delta/image/refs_scan.h"

enum {
    PREWALK = 128, /* bytes before the window from which to decode instructions */
    /* bytes behind an auipc in which to search for the lower part */
    LOOK = 64,
    AUIPC = 0x17,
};

static uint32_t read_at(const struct delta_scan *s, int64_t i)
{
    return hf_le32(s->bytes + i);
}

static unsigned size_of(uint32_t w)
{
    return (w & 3) == 3 ? 4 : 2;
}

static unsigned destination(uint32_t w)
{
    return w >> 7 & 31;
}

static bool is_store(uint32_t w)
{
    return (w & 0x7f) == 0x23 || (w & 0x7f) == 0x27;
}

/* True for instructions with a lower part: addi, loads, stores, jalr. */
static bool has_low(uint32_t w)
{
    unsigned opcode = w & 0x7f;

    return opcode == 0x03 || opcode == 0x07 || is_store(w) ||
           ((opcode == 0x13 || opcode == 0x67) && (w >> 12 & 7) == 0);
}

static uint64_t low_of(uint32_t w)
{
    uint32_t low = is_store(w) ? (w >> 20 & 0xfe0) | (w >> 7 & 31) : w >> 20;

    return delta_sign(low, 12);
}

static uint32_t put_low(uint32_t w, uint32_t low)
{
    if (is_store(w))
        return (w & 0x01fff07f) | (low & 0xfe0) << 20 | (low & 31) << 7;
    return (w & 0xfffff) | low << 20;
}

/* True if the instruction sets register r otherwise. */
static bool sets(uint32_t w, unsigned r)
{
    unsigned opcode = w & 0x7f;

    if (destination(w) != r)
        return false;
    if ((w & 3) == 3)
        return !is_store(w) && opcode != 0x63;
    return (w & 3) != 0 && (w >> 13 & 7) >= 2 && (w >> 13 & 7) <= 4;
}

static void add_auipc(struct delta_scan *s, size_t i, uint32_t w, uint64_t address)
{
    unsigned r = destination(w);
    uint64_t high = delta_sign(w & 0xfffff000, 32), low = 0;
    int64_t start = (int64_t)i, k = start + 4;

    while (k < start + LOOK) {
        uint32_t next = read_at(s, k);
        if ((next & 3) == 3 && (next >> 15 & 31) == r && has_low(next)) {
            low = low_of(next);
            break;
        }
        if (sets(next, r))
            break;
        k += size_of(next);
    }
    (void)delta_scan_add(s, i, 4, DELTA_REF_AUIPC, address + high + low, w);
}

static uint64_t jal_distance(uint32_t w)
{
    return delta_sign((w >> 31) << 20 | (w & 0xff000) | (w >> 20 & 1) << 11 | (w >> 20 & 0x7fe), 21);
}

static uint32_t put_jal(uint32_t w, uint32_t d)
{
    return (w & 0xfff) | (d >> 20 & 1) << 31 | (d & 0xff000) | (d >> 11 & 1) << 20 | (d & 0x7fe) << 20;
}

static uint64_t branch_distance(uint32_t w)
{
    return delta_sign((w >> 31) << 12 | (w >> 7 & 1) << 11 | (w >> 20 & 0x7e0) | (w >> 7 & 0x1e), 13);
}

static uint32_t put_branch(uint32_t w, uint32_t d)
{
    return (w & 0x01fff07f) | (d >> 12 & 1) << 31 | (d >> 11 & 1) << 7 | (d & 0x7e0) << 20 | (d & 0x1e) << 7;
}

/* c.j */
static uint64_t short_jump_distance(uint32_t w)
{
    return delta_sign((w >> 12 & 1) << 11 | (w >> 11 & 1) << 4 | (w >> 9 & 3) << 8 | (w >> 8 & 1) << 10 |
                          (w >> 7 & 1) << 6 | (w >> 6 & 1) << 7 | (w >> 3 & 7) << 1 | (w >> 2 & 1) << 5,
                      12);
}

static uint32_t put_short_jump(uint32_t w, uint32_t d)
{
    return (w & 0xe003) | (d >> 11 & 1) << 12 | (d >> 4 & 1) << 11 | (d >> 8 & 3) << 9 | (d >> 10 & 1) << 8 |
           (d >> 6 & 1) << 7 | (d >> 7 & 1) << 6 | (d >> 1 & 7) << 3 | (d >> 5 & 1) << 2;
}

/* c.beqz, c.bnez */
static uint64_t short_branch_distance(uint32_t w)
{
    return delta_sign(
        (w >> 12 & 1) << 8 | (w >> 10 & 3) << 3 | (w >> 5 & 3) << 6 | (w >> 3 & 3) << 1 | (w >> 2 & 1) << 5, 9);
}

static uint32_t put_short_branch(uint32_t w, uint32_t d)
{
    return (w & 0xe383) | (d >> 8 & 1) << 12 | (d >> 3 & 3) << 10 | (d >> 6 & 3) << 5 | (d >> 1 & 3) << 3 |
           (d >> 5 & 1) << 2;
}

/* auipc_at[r]: 2 + PREWALK + position of the last auipc that set register r; 0 if another instruction set it since. */
static void add_low(struct delta_scan *s, size_t i, uint32_t w, uint64_t address, int64_t from)
{
    uint64_t back = i - (uint64_t)from;
    struct delta_ref *ref = delta_scan_add(
        s, i, 4, DELTA_REF_LOW, address - back + delta_sign(read_at(s, from) & 0xfffff000, 32) + low_of(w), w);

    if (ref != NULL)
        ref->base = s->offset + i - back;
}

static void add_site(struct delta_scan *s, size_t i, uint32_t w, uint64_t address, const uint16_t *auipc_at)
{
    unsigned from = auipc_at[w >> 15 & 31];

    if ((w & 3) != 3) {
        if ((w & 0xe003) == 0xa001)
            (void)delta_scan_add(s, i, 2, DELTA_REF_SHORT_JUMP, address + short_jump_distance(w), w & 0xffff);
        else if ((w & 0xc003) == 0xc001)
            (void)delta_scan_add(s, i, 2, DELTA_REF_SHORT_BRANCH, address + short_branch_distance(w), w & 0xffff);
    } else if ((w & 0x7f) == AUIPC) {
        add_auipc(s, i, w, address);
    } else if ((w & 0x7f) == 0x6f) {
        (void)delta_scan_add(s, i, 4, DELTA_REF_JAL, address + jal_distance(w), w);
    } else if ((w & 0x7f) == 0x63) {
        (void)delta_scan_add(s, i, 4, DELTA_REF_BRANCH, address + branch_distance(w), w);
    } else if (from > 0 && has_low(w)) {
        add_low(s, i, w, address, (int64_t)from - 2 - PREWALK);
    }
}

void delta_scan_riscv(struct delta_scan *s)
{
    uint64_t start = delta_address_of(&s->image->segments, s->offset);
    uint16_t auipc_at[32] = {0};

    for (int64_t i = -(int64_t)(PREWALK + (s->offset & 1)); i < (int64_t)s->n;) {
        uint32_t w = read_at(s, i);
        if (i >= 0)
            add_site(s, (size_t)i, w, start + (uint64_t)i, auipc_at);
        unsigned r = destination(w);
        if ((w & 0x7f) == AUIPC)
            auipc_at[r] = (uint16_t)(i + PREWALK + 2);
        else if (sets(w, r))
            auipc_at[r] = 0;
        i += size_of(w);
    }
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

uint64_t delta_riscv_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base)
{
    uint32_t w = (uint32_t)ref->word, distance = (uint32_t)(target - site);

    switch (ref->kind) {
    case DELTA_REF_AUIPC:
        return (w & 0xfff) | ((distance + 0x800) & 0xfffff000);
    case DELTA_REF_LOW:
        return put_low(w, (uint32_t)(target - base) & 0xfff);
    case DELTA_REF_JAL:
        return put_jal(w, distance);
    case DELTA_REF_BRANCH:
        return put_branch(w, distance);
    case DELTA_REF_SHORT_JUMP:
        return put_short_jump(w, distance);
    default: /* SHORT_BRANCH */
        return put_short_branch(w, distance);
    }
}

uint64_t delta_riscv_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint)
{
    uint32_t w = (uint32_t)word;

    switch (ref->kind) {
    case DELTA_REF_LOW:
        return base + ((hint - base + 0x800) & ~UINT64_C(0xfff)) + low_of(w);
    case DELTA_REF_JAL:
        return site + jal_distance(w);
    case DELTA_REF_BRANCH:
        return site + branch_distance(w);
    case DELTA_REF_SHORT_JUMP:
        return site + short_jump_distance(w);
    case DELTA_REF_SHORT_BRANCH:
        return site + short_branch_distance(w);
    default: /* the upper part holds too little */
        return hint;
    }
}
