/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/endian.h"
#include "delta/image/refs.h"

struct delta_scan {
    const struct delta_image *image;
    const struct delta_region *region;
    const unsigned char *bytes;
    size_t n, limit;
    uint64_t offset;
    struct delta_ref *refs;
    size_t found;
    struct delta_announced *announced; /* or NULL */
};

static inline uint64_t delta_sign(uint64_t value, unsigned bits)
{
    uint64_t top = UINT64_C(1) << (bits - 1);

    return ((value & (2 * top - 1)) ^ top) - top;
}

/* Adds a reference. NULL: no segment has the address, or the site ends behind the limit. */
static inline struct delta_ref *delta_scan_add(struct delta_scan *s, size_t at, unsigned n, enum delta_ref_kind kind,
                                               uint64_t address, uint64_t word)
{
    if (s->image->narrow)
        address &= UINT32_MAX;
    uint64_t target = delta_position_of(&s->image->segments, address);

    if (target == DELTA_NOWHERE || at + n > s->limit)
        return NULL;
    struct delta_ref *ref = &s->refs[s->found++];
    *ref =
        (struct delta_ref){.target = target, .word = word, .at = (uint32_t)at, .kind = (uint8_t)kind, .n = (uint8_t)n};
    return ref;
}

void delta_scan_arm(struct delta_scan *s);
uint64_t delta_arm_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base);
uint64_t delta_arm_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint);
void delta_scan_386(struct delta_scan *s);
void delta_scan_riscv(struct delta_scan *s);
uint64_t delta_riscv_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base);
uint64_t delta_riscv_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint);
