/* delta/cm/cm.h - a binary arithmetic coder and the mixing of predictions that feeds it. Integers only: the same bits on every
 * machine. One code path serves both directions: delta_cm_code() takes the bit when encoding and returns it when decoding.
 *
 * Context mixing (logistic mixing of adaptive bit predictions) and the carry-less range coder follow Matt Mahoney's
 * published descriptions of PAQ ("Adaptive Weighing of Context Models for Lossless Data Compression", 2005). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "delta/cm/lanes.h"
#include "delta/io/wire.h"

struct delta_cm {
    bool encoding;
    uint32_t low, high, code;
    /* encoding */
    struct hf_buf *out;
    int failed; /* -errno of the first failure; coding goes on with zero bits */
    /* decoding: `left` bytes of the part are still in the patch */
    struct delta_input *in;
    struct hf_err *err;
    uint64_t left;
    unsigned beyond; /* bytes taken behind the end */
    size_t pos, n;
    const unsigned char *bytes; /* `buffer`, or the whole part */
    unsigned char buffer[4096];
};

void delta_cm_start_encoding(struct delta_cm *cm, struct hf_buf *out);
/* Read a part of n bytes. Errors go to err and cm->failed. */
void delta_cm_start_decoding(struct delta_cm *cm, struct delta_input *in, uint64_t n, struct hf_err *err);
/* Read a part that is in memory, and stays there. */
void delta_cm_start_decoding_bytes(struct delta_cm *cm, const unsigned char *bytes, size_t n, struct hf_err *err);
/* Encoding: flush. Decoding: the part must be used up. Returns cm->failed. */
HF_MUST_USE int delta_cm_finish(struct delta_cm *cm);

void delta_cm_shift(struct delta_cm *cm); /* one byte in or out */

/* p1: chance of a 1, in 1/65536, 1..65535. */
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

/* A byte of which nothing is known. */
static inline unsigned delta_cm_code_plain(struct delta_cm *cm, unsigned byte)
{
    unsigned made = 0;

    for (unsigned i = 8; i-- > 0;)
        made = made << 1 | delta_cm_code(cm, byte >> i & 1, 32768);
    return made;
}

/* Encoding: bits so far, give or take one. */
static inline uint64_t delta_cm_bits(const struct delta_cm *cm)
{
    return 8 * (uint64_t)cm->out->n + (unsigned)__builtin_clz((cm->high - cm->low) | 1);
}

/* ---- adaptive bits --------------------------------------------------------------------------------------------- */

/* 22 bits of probability, 10 of count: slow and exact, for small tables. */
static inline uint32_t delta_bit_p16(uint32_t state)
{
    return state >> 16;
}

enum { DELTA_BIT_LIMIT = 250 };
extern const uint16_t delta_reciprocal[256]; /* 65536 / (n + 2) */

/* limit: at most DELTA_BIT_LIMIT. */
static inline void delta_bit_update(uint32_t *state, unsigned bit, unsigned limit)
{
    uint32_t n = *state & 1023;
    int32_t p = (int32_t)(*state >> 10), target = bit != 0 ? (1 << 22) - 1 : 0;

    p += (int32_t)(((int64_t)(target - p) * delta_reciprocal[n & 255]) >> 16);
    *state = (uint32_t)p << 10 | (n < limit ? n + 1 : limit);
}

#define DELTA_BIT_INIT 0x80000000u

/* A bit by its own state, which learns it. */
unsigned delta_bit_code(struct delta_cm *cm, uint32_t *state, unsigned bit);

/* ---- mixing ---------------------------------------------------------------------------------------------------- */

/* Weights are 16 bits, with so many behind the point; inputs and sums are stretched chances, ln(p / (1 - p)), with 8. */
enum { DELTA_WEIGHT_BITS = 13, DELTA_STRETCH_MAX = 2047 };

/* squash[x + 2048]: the chance that x stands for, p * 65536 + 8, p in whole 1/4096. */
void delta_squash_init(uint16_t squash[4096]);
/* The other way, of p * 4096; slow. */
int32_t delta_stretch(uint32_t p);

/* The chance of a 1 by all inputs, as delta_cm_code() takes it. */
static inline uint32_t delta_mixed(const uint16_t squash[4096], delta_lanes input, delta_lanes weight)
{
    int32_t x = delta_lanes_dot(input, weight) >> DELTA_WEIGHT_BITS;

    return squash[(x > DELTA_STRETCH_MAX ? DELTA_STRETCH_MAX : x < -DELTA_STRETCH_MAX ? -DELTA_STRETCH_MAX : x) + 2048];
}

/* ---- numbers --------------------------------------------------------------------------------------------------- */

/* Any number below 2^42: its length by a tree of adaptive bits, then its highest three bits below the first adaptively. */
struct delta_number {
    uint32_t length[64];
    uint32_t bits[43][8];
};

void delta_number_init(struct delta_number *model);
uint64_t delta_number_code(struct delta_cm *cm, struct delta_number *model, uint64_t value);
