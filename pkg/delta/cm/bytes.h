/* SPDX-License-Identifier: Apache-2.0 */
/* Codes a byte, mostly bit by bit; predicts each bit from the byte's contexts (tables, ranks) and from guesses of the
 * byte (bytes.c). Integers only; one path for both directions. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/states.h"

enum {
    BYTES_TABLES = 3,
    BYTES_TABLE_BITS = 18,
    BYTES_TABLE_BITS_MIN = 12,
    BYTES_RANKS = 2,
    BYTES_RANK_BITS = 14,
    BYTES_GUESSES = 3,
    BYTES_TRUSTS = 256,
    BYTES_SOURCES = BYTES_RANKS * 16 + BYTES_TRUSTS,
    BYTES_CLASSES = 6,
    BYTES_SCENES = 4,
};

struct delta_byte_context {
    uint32_t table[BYTES_TABLES], rank[BYTES_RANKS];
    uint16_t guess[BYTES_GUESSES]; /* guessed byte + 1; 0: none */
    /* below BYTES_TRUSTS; guesses of one trust share their statistics */
    uint16_t trust[BYTES_GUESSES];
    unsigned kind; /* `kind` (< BYTES_CLASSES), `near` (< 256) and `scene` (< BYTES_SCENES) select weights */
    unsigned near, scene;
};

struct delta_bytes {
    _Alignas(64) delta_lanes by_node[BYTES_CLASSES * 256], by_fit[BYTES_CLASSES * 128], by_scene[BYTES_SCENES * 256],
        by_confident[16];
    uint8_t *tables; /* each of 2^table_bits bytes, cache-line aligned */
    uint32_t *ranks; /* each of 2^rank_bits entries, in the memory of the tables */
    unsigned table_bits, rank_bits;
    bool quick;
    /* Logits: ln(p / (1 - p)) * 4096. A source is a rank with a certain count, or a guess with a certain trust. */
    int16_t state_logit[DELTA_STATES];
    /* second index: how many bits of the byte follow */
    int16_t source_logit[BYTES_SOURCES + 1][8];
    int16_t byte_logit[BYTES_SOURCES + 1];
    uint16_t rise[512];
    int16_t rate[256], more[256];
    uint16_t squash[4096];
    uint8_t next[DELTA_STATES][2];
    uint8_t source_count[BYTES_SOURCES + 1];
};

/* Allocates tables for blocks of up to `block` bytes, halved `lean` times. Call delta_bytes_reset() next. -ENOMEM:
 * nothing to free. */
HF_MUST_USE int delta_bytes_open(struct delta_bytes *b, uint64_t block, unsigned lean);
void delta_bytes_done(struct delta_bytes *b);
/* Begins a block. `quick`: one bit may confirm a whole byte, and delta_bytes_learn() updates fewer tables. */
void delta_bytes_reset(struct delta_bytes *b, bool quick);

/* Returns the byte; decoding ignores `byte`. */
unsigned delta_bytes_code(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c,
                          unsigned byte);

/* Learns that `byte` follows `c`, without coding it. */
void delta_bytes_learn(struct delta_bytes *b, const struct delta_byte_context *c, unsigned byte);

/* Returns how much a logit grows after a true prediction; `x`: the logit's upper 8 bits; `count` < 256: how often it
 * was updated. */
static inline int16_t delta_bytes_rise(const struct delta_bytes *b, int x, unsigned count)
{
    return (int16_t)(b->rise[b->rate[count] - x] + b->more[count]);
}

static inline uint32_t delta_hash(uint32_t salt, uint32_t x, uint32_t y)
{
    uint32_t h = (x + salt * 0x9e3779b1u) * 0x85ebca6bu ^ (y + salt) * 0xc2b2ae35u;

    h ^= h >> 15;
    return h * 0x2c1b3c6du;
}
