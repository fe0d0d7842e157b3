/* SPDX-License-Identifier: Apache-2.0 */
/* delta/cm/cm.h - a binary arithmetic coder and the logistic mixing that predicts its bits. Computes with integers
 * only, so the bits are the same on every machine. One code path serves both directions: delta_cm_code() takes the bit
 * when encoding and returns it when decoding.
 *
 * Context mixing and the carry-less range coder follow Matt Mahoney's published descriptions of PAQ ("Adaptive Weighing
 * of Context Models for Lossless Data Compression", 2005). Threads: a coder belongs to one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "delta/cm/lanes.h"
#include "delta/io/wire.h"

struct delta_cm {
    bool encoding;
    uint32_t low, high, code;
    /* only when encoding: `out` receives the code */
    struct hf_buf *out;
    /* -errno of a failure (0 means none); after a read error, decoding continues as if only zero bytes followed */
    int failed;
    /* the fields from here on are for decoding only; `left` is the number of bytes of the part that are not read from
     * `in` yet */
    struct delta_input *in;
    struct hf_err *err;
    uint64_t left;
    unsigned beyond; /* number of bytes that the decoder requested beyond the end of the part */
    size_t pos, n;
    const unsigned char *bytes; /* the bytes to decode: points to `buffer`, or to the whole part in memory */
    unsigned char buffer[4096];
};

void delta_cm_start_encoding(struct delta_cm *cm, struct hf_buf *out);
/* Starts to decode a part, which is the next n bytes of `in`. Read errors go to `err` and cm->failed. */
void delta_cm_start_decoding(struct delta_cm *cm, struct delta_input *in, uint64_t n, struct hf_err *err);
/* Starts to decode a part in memory. Borrows bytes[0..n). */
void delta_cm_start_decoding_bytes(struct delta_cm *cm, const unsigned char *bytes, size_t n, struct hf_err *err);
/* When encoding, flushes the coder. When decoding, checks that the decoder has read the whole part. Returns 0, or the
 * first error of the coder. */
HF_MUST_USE int delta_cm_finish(struct delta_cm *cm);

void delta_cm_shift(struct delta_cm *cm); /* writes or reads the next byte of the code */

/* Codes one bit. p1 is the probability of a 1 in units of 1/65536, from 1 to 65535. */
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

/* Codes a byte with equal probabilities. */
static inline unsigned delta_cm_code_plain(struct delta_cm *cm, unsigned byte)
{
    unsigned made = 0;

    for (unsigned i = 8; i-- > 0;)
        made = made << 1 | delta_cm_code(cm, byte >> i & 1, 32768);
    return made;
}

/* Call only when encoding. Returns the number of bits encoded so far, with an error of at most one bit. */
static inline uint64_t delta_cm_bits(const struct delta_cm *cm)
{
    return 8 * (uint64_t)cm->out->n + (unsigned)__builtin_clz((cm->high - cm->low) | 1);
}

/* ---- adaptive bits --------------------------------------------------------------------------------------------- */

/* Returns the probability of a 1, in units of 1/65536, from the state of an adaptive bit. The state has 22 bits of
 * probability and 10 bits of count. An adaptive bit adapts slowly and exactly, which suits small tables. */
static inline uint32_t delta_bit_p16(uint32_t state)
{
    return state >> 16;
}

enum { DELTA_BIT_LIMIT = 250 };
extern const uint16_t delta_reciprocal[256]; /* delta_reciprocal[n] is 65536 / (n + 2) */

/* Moves the probability in *state towards `bit`. The count in *state stops at `limit`, which is at most
 * DELTA_BIT_LIMIT. */
static inline void delta_bit_update(uint32_t *state, unsigned bit, unsigned limit)
{
    uint32_t n = *state & 1023;
    int32_t p = (int32_t)(*state >> 10), target = bit != 0 ? (1 << 22) - 1 : 0;

    p += (int32_t)(((int64_t)(target - p) * delta_reciprocal[n & 255]) >> 16);
    *state = (uint32_t)p << 10 | (n < limit ? n + 1 : limit);
}

#define DELTA_BIT_INIT 0x80000000u

/* Codes a bit with its adaptive state, and updates the state. */
unsigned delta_bit_code(struct delta_cm *cm, uint32_t *state, unsigned bit);

/* ---- mixing ---------------------------------------------------------------------------------------------------- */

/* Weights have 16 bits, DELTA_WEIGHT_BITS of them fractional. Inputs and sums are logits, ln(p / (1 - p)), with 8
 * fractional bits. */
enum { DELTA_WEIGHT_BITS = 13, DELTA_STRETCH_MAX = 2047 };

/* Fills the table that turns a logit x, from -2048 to 2047, into a probability. squash[x + 2048] is 16 * p + 8, in
 * units of 1/65536, where p / 4096 is the rounded probability. */
void delta_squash_init(uint16_t squash[4096]);
/* The inverse of squash[]: returns the logit of the probability p / 4096. Slow. */
int32_t delta_stretch(uint32_t p);

/* Returns the mixed probability of a 1, in the units of delta_cm_code(). */
static inline uint32_t delta_mixed(const uint16_t squash[4096], delta_lanes input, delta_lanes weight)
{
    int32_t x = delta_lanes_dot(input, weight) >> DELTA_WEIGHT_BITS;

    return squash[(x > DELTA_STRETCH_MAX ? DELTA_STRETCH_MAX : x < -DELTA_STRETCH_MAX ? -DELTA_STRETCH_MAX : x) + 2048];
}

/* ---- numbers --------------------------------------------------------------------------------------------------- */

/* An adaptive code for numbers below 2^42. A tree of adaptive bits codes the number's length in bits. Adaptive bits
 * also code the three binary digits after the leading 1. The remaining digits have equal probabilities. */
struct delta_number {
    uint32_t length[64];
    uint32_t bits[43][8];
};

void delta_number_init(struct delta_number *model);
uint64_t delta_number_code(struct delta_cm *cm, struct delta_number *model, uint64_t value);
