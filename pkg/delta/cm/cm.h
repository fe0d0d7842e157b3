/* SPDX-License-Identifier: Apache-2.0 */
/* A binary arithmetic coder with logistic mixing; integers only, so all machines agree. delta_cm_code() takes the bit
 * to encode, and returns the decoded bit.
 *
 * After Matt Mahoney's PAQ (2005). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "delta/cm/lanes.h"
#include "delta/io/wire.h"

struct delta_cm {
    bool encoding;
    uint32_t low, high, code;
    struct hf_buf *out;
    int failed; /* 0 or -errno; after a read error, decoding gets zeros */
    /* only for decoding, from here on */
    struct delta_input *in;
    struct hf_err *err;
    uint64_t left;
    unsigned beyond;
    size_t pos, n;
    const unsigned char *bytes;
    unsigned char buffer[4096];
};

void delta_cm_start_encoding(struct delta_cm *cm, struct hf_buf *out);
/* Decodes the next n bytes of `in`. A read error goes to cm->failed, its text to *err. */
void delta_cm_start_decoding(struct delta_cm *cm, struct delta_input *in, uint64_t n, struct hf_err *err);
void delta_cm_start_decoding_bytes(struct delta_cm *cm, const unsigned char *bytes, size_t n, struct hf_err *err);
/* Flushes when encoding; when decoding, checks that all bytes were used. Returns the coder's error. */
HF_MUST_USE int delta_cm_finish(struct delta_cm *cm);

void delta_cm_shift(struct delta_cm *cm);

/* p1: the probability of a 1 in 1/65536, 1 to 65535. */
static inline unsigned delta_cm_code(struct delta_cm *cm, unsigned bit, uint32_t p1)
{
    uint32_t middle = cm->low + (uint32_t)((uint64_t)(cm->high - cm->low) * p1 >> 16);

    if (!cm->encoding)
        bit = cm->code <= middle;
    if (bit != 0)
        cm->high = middle;
    else
        cm->low = middle + 1;
    while (((cm->low ^ cm->high) & 0xff000000) == 0)
        delta_cm_shift(cm);
    return bit;
}

static inline unsigned delta_cm_code_plain(struct delta_cm *cm, unsigned byte)
{
    unsigned made = 0;

    for (unsigned i = 8; i-- > 0;)
        made = made << 1 | delta_cm_code(cm, byte >> i & 1, 32768);
    return made;
}

static inline uint64_t delta_cm_bits(const struct delta_cm *cm)
{
    return 8 * (uint64_t)cm->out->n + (unsigned)__builtin_clz((cm->high - cm->low) | 1);
}

/* Returns p1 of an adaptive bit, which has 22 bits of probability and 10 of count. */
static inline uint32_t delta_bit_p16(uint32_t state)
{
    return state >> 16;
}

extern const uint16_t delta_reciprocal[256]; /* 65536 / (n + 2) */

static inline void delta_bit_update(uint32_t *state, unsigned bit, unsigned limit)
{
    uint32_t n = *state & 1023;
    int32_t p = (int32_t)(*state >> 10), target = bit != 0 ? (1 << 22) - 1 : 0;

    p += (int32_t)(((int64_t)(target - p) * delta_reciprocal[n & 255]) >> 16);
    *state = (uint32_t)p << 10 | (n < limit ? n + 1 : limit);
}

#define DELTA_BIT_INIT 0x80000000u

unsigned delta_bit_code(struct delta_cm *cm, uint32_t *state, unsigned bit);

enum { DELTA_WEIGHT_BITS = 13, DELTA_STRETCH_MAX = 2047 };

void delta_squash_init(uint16_t squash[4096]);
int32_t delta_stretch(uint32_t p);

static inline uint32_t delta_mixed(const uint16_t squash[4096], delta_lanes input, delta_lanes weight)
{
    int32_t x = delta_lanes_dot(input, weight) >> DELTA_WEIGHT_BITS;

    return squash[(x > DELTA_STRETCH_MAX ? DELTA_STRETCH_MAX : x < -DELTA_STRETCH_MAX ? -DELTA_STRETCH_MAX : x) + 2048];
}

/* Adaptive bits for numbers below 2^42: for their length, and for the three bits after the leading 1. */
struct delta_number {
    uint32_t length[64];
    uint32_t bits[43][8];
};

void delta_number_init(struct delta_number *model);
uint64_t delta_number_code(struct delta_cm *cm, struct delta_number *model, uint64_t value);
