/* SPDX-License-Identifier: Apache-2.0 */
/* delta/cm/bytes.h - codes a byte bit by bit. For each bit, the coder mixes the predictions of several contexts and of
 * several guessed bytes. Computes with integers only. One code path encodes and decodes.
 *
 * Tables and ranks remember what followed a context. A table holds a bit history (delta/cm/states.h) for each bit after
 * a context; each row of a table has a check byte by which the coder recognizes a context that has not occurred before.
 * A rank has four bytes, which hold the latest byte after a context, a count of how often that byte came, and check
 * bits. Ranks serve long contexts, of which there are too many for tables.
 *
 * A rank or a guess is called a source. Each source predicts one value of the next byte. In quick blocks, if a source
 * is confident, the coder first codes one bit that records whether this source is right. The eight bits of the byte
 * follow only if the source is wrong. Coding the one bit takes a fifth of the time of coding eight bits, but makes the
 * delta slightly larger.
 *
 * The inputs of the mixer for one bit are eight numbers in one vector: the most trusted rank, three guesses, three
 * tables, and a constant. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/states.h"

enum {
    BYTES_TABLES = 3,
    /* log2 of the size of a table for a large file; smaller files get smaller tables, which are quicker to clear */
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

/* The contexts and guesses for one byte. */
struct delta_byte_context {
    uint32_t table[BYTES_TABLES], rank[BYTES_RANKS]; /* hashes of the contexts, one for each table and each rank */
    uint16_t guess[BYTES_GUESSES];                   /* guessed bytes + 1 (0 means no guess) */
    /* trust in each guess, below BYTES_TRUSTS; guesses with equal trust share statistics */
    uint16_t trust[BYTES_GUESSES];
    unsigned kind;        /* selects weights; below BYTES_CLASSES */
    unsigned near, scene; /* select weights; `near` is below 256, and `scene` is below BYTES_SCENES */
};

struct delta_bytes {
    /* Weights of the mixer. The weights for a bit are the sum of three sets. by_node depends on the kind and on the
     * bits of the byte so far; by_fit depends on the kind, on the sources that these bits agree with, and on the number
     * of bits that remain; by_scene depends on `scene` and `near`. by_confident replaces by_fit and by_scene for the
     * bit that records whether a confident source is right. */
    _Alignas(64) delta_lanes by_node[BYTES_CLASSES * 256], by_fit[BYTES_CLASSES * 128], by_scene[BYTES_SCENES * 256],
        by_confident[16];
    uint8_t *tables; /* BYTES_TABLES tables of 2^table_bits bytes, aligned to a cache line */
    uint32_t *ranks; /* BYTES_RANKS arrays of 2^rank_bits ranks; part of the allocation of `tables` */
    unsigned table_bits, rank_bits;
    bool quick;
    /* Probabilities p as logits, ln(p / (1 - p)) * 4096. state_logit[s] is the probability that a 1 follows in state s.
     * source_logit[s][i] is the adaptive probability that source s is right about a bit after which i more bits of the
     * byte come. byte_logit[s] is the probability that source s is right about the whole byte. A source s is a rank
     * with a certain count, or a guess with a certain trust. The last source stands for a rank or guess that expects no
     * byte. */
    int16_t state_logit[DELTA_STATES];
    int16_t source_logit[BYTES_SOURCES + 1][8];
    int16_t byte_logit[BYTES_SOURCES + 1];
    /* Tables for delta_bytes_rise(). If n is a logit's number of updates and x its upper bits, the next step of the
     * logit is rise[rate[n] - x] + more[n]. */
    uint16_t rise[512];
    int16_t rate[256], more[256];
    uint16_t squash[4096];         /* filled by delta_squash_init() */
    uint8_t next[DELTA_STATES][2]; /* next state after a 0 and after a 1 */
    uint8_t source_count[BYTES_SOURCES + 1];
};

/* Allocates the tables and ranks for blocks of at most `block` bytes. Halves their maximum sizes `lean` times. Call
 * once, before the first delta_bytes_reset(). After -ENOMEM, the caller has nothing to free. */
HF_MUST_USE int delta_bytes_open(struct delta_bytes *b, uint64_t block, unsigned lean);
void delta_bytes_done(struct delta_bytes *b);
/* Prepares for the next block. If `quick` is true, the coder tries a confident source first and learns only in some
 * contexts, which saves time but makes the delta slightly larger. */
void delta_bytes_reset(struct delta_bytes *b, bool quick);

/* When encoding, encodes and returns `byte`. When decoding, ignores `byte` and returns the decoded byte. */
unsigned delta_bytes_code(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c,
                          unsigned byte);

/* Learns `byte` without coding: updates the tables (in quick blocks only the last table) and the first rank. Takes a
 * fraction of the time of delta_bytes_code(). */
void delta_bytes_learn(struct delta_bytes *b, const struct delta_byte_context *c, unsigned byte);

/* Returns the number to add to the logit of a source that was right. `x` is the upper 8 bits of the logit. `count`,
 * below 256, is the number of earlier updates of the logit. */
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
