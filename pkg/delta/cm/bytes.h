/* SPDX-License-Identifier: Apache-2.0 */
/* Codes a byte bit by bit, by predictions of contexts and guessed bytes (bytes.c); integers only, one path for both
 * directions. Ranks and guesses are sources: each predicts one value. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/states.h"

enum {
    BYTES_TABLES = 3,
    /* log2; fewer for small files */
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
    uint32_t table[BYTES_TABLES], rank[BYTES_RANKS]; /* contexts' hashes */
    uint16_t guess[BYTES_GUESSES];                   /* byte + 1 */
    uint16_t trust[BYTES_GUESSES];                   /* below BYTES_TRUSTS; equal trust, shared statistics */
    unsigned kind;                                   /* below BYTES_CLASSES */
    unsigned near, scene;                            /* below 256; below BYTES_SCENES */
};

struct delta_bytes {
    _Alignas(64) delta_lanes by_node[BYTES_CLASSES * 256], by_fit[BYTES_CLASSES * 128], by_scene[BYTES_SCENES * 256],
        by_confident[16];
    uint8_t *tables; /* 2^table_bits bytes each, cache-line aligned */
    uint32_t *ranks; /* 2^rank_bits each; in that allocation */
    unsigned table_bits, rank_bits;
    bool quick;
    /* Logits ln(p / (1 - p)) * 4096: of a 1 in state s; of source s being right about a bit with i more to come; about
     * the byte. A source is a rank by count or a guess by trust; the last expects no byte. */
    int16_t state_logit[DELTA_STATES];
    int16_t source_logit[BYTES_SOURCES + 1][8];
    int16_t byte_logit[BYTES_SOURCES + 1];
    /* delta_bytes_rise(): after n updates, upper bits x: rise[rate[n] - x] + more[n]. */
    uint16_t rise[512];
    int16_t rate[256], more[256];
    uint16_t squash[4096];
    uint8_t next[DELTA_STATES][2]; /* after a 0, a 1 */
    uint8_t source_count[BYTES_SOURCES + 1];
};

/* Tables for blocks up to `block` bytes, halved `lean` times. Before the first reset. After -ENOMEM nothing to free. */
HF_MUST_USE int delta_bytes_open(struct delta_bytes *b, uint64_t block, unsigned lean);
void delta_bytes_done(struct delta_bytes *b);
/* Begins a block. `quick`: a confident source first, and learns in some contexts only. */
void delta_bytes_reset(struct delta_bytes *b, bool quick);

/* `byte`: for encoding. */
unsigned delta_bytes_code(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c,
                          unsigned byte);

/* Teaches only tables (quick: the last) and the first rank. */
void delta_bytes_learn(struct delta_bytes *b, const struct delta_byte_context *c, unsigned byte);

/* After a hit: a logit's step, upper 8 bits `x`, after `count` < 256 updates. */
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
