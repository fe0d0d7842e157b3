/* delta/cm/bytes.h - code a byte in its contexts: mix the predictions of several contexts and of several guessed
 * bytes, bit by bit. Integers only; one code path for both directions.
 *
 * There are two kinds of contexts. A table holds a bit history (delta/cm/states.h) for each bit after a context; each
 * row of a table has a check byte by which the coder recognizes a context that has not occurred before. A rank holds,
 * in four bytes, the last byte after a context and how often that byte came. Ranks serve long contexts, of which
 * there are too many for tables. Ranks and guesses are called sources, because each of them expects one byte. In
 * quick blocks one bit first asks whether a confident source is right; coding this one bit takes a fifth of the time
 * of eight bits, but makes the delta slightly larger.
 *
 * The inputs for one bit are eight numbers in one vector: the most trusted rank, three guesses, three tables, and a
 * constant. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/states.h"

enum {
    BYTES_TABLES = 3,
    BYTES_TABLE_BITS = 18, /* upper limit: small files get small tables, which are quicker to clear */
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
    uint32_t table[BYTES_TABLES], rank[BYTES_RANKS]; /* hashes of contexts */
    uint16_t guess[BYTES_GUESSES];                   /* guessed bytes + 1; 0: none */
    /* below BYTES_TRUSTS; guesses with equal trust share statistics */
    uint16_t trust[BYTES_GUESSES];
    unsigned kind;        /* selects weights: below BYTES_CLASSES */
    unsigned near, scene; /* select weights: below 256 and below BYTES_SCENES */
};

struct delta_bytes {
    _Alignas(64) delta_lanes by_node[BYTES_CLASSES * 256], by_fit[BYTES_CLASSES * 128], by_scene[BYTES_SCENES * 256],
        by_confident[16];
    uint8_t *tables; /* BYTES_TABLES tables of 2^table_bits bytes, aligned to a cache line, then `ranks` */
    uint32_t *ranks; /* BYTES_RANKS of 2^rank_bits */
    unsigned table_bits, rank_bits;
    bool quick;
    /* Probabilities in the logistic domain, ln(p / (1 - p)) * 4096. state_logit[s] is the probability that a 1
     * follows in state s. source_logit[s][bits] is the adaptive probability that source s is right about the next
     * bit, if `bits` bits of the byte are still to come. byte_logit[s] is the probability that source s is right
     * about the whole byte. The index s stands for a rank with a certain count, or a guess with a certain trust. */
    int16_t state_logit[DELTA_STATES];
    int16_t source_logit[BYTES_SOURCES + 1][8]; /* the last row is for no source */
    int16_t byte_logit[BYTES_SOURCES + 1];
    /* Tables for delta_bytes_rise(). `rise` gives the step of a logit by the logit's value. `rate` shifts the index
     * into `rise`, and `more` adds to the step; the index of both is the count of updates. */
    uint16_t rise[512];
    int16_t rate[256], more[256];
    uint16_t squash[4096];         /* delta_squash_init() */
    uint8_t next[DELTA_STATES][2]; /* next state after a 0 and after a 1 */
    uint8_t source_count[BYTES_SOURCES + 1];
};

/* Allocates the tables once, before the first reset, for blocks of at most `block` bytes. Halves tables and ranks
 * `lean` times. -ENOMEM: there is nothing to free. */
HF_MUST_USE int delta_bytes_open(struct delta_bytes *b, uint64_t block, unsigned lean);
void delta_bytes_done(struct delta_bytes *b);
/* `quick` saves time and costs some bytes: the coder asks a confident source first, and learns in some contexts
 * only. */
void delta_bytes_reset(struct delta_bytes *b, bool quick);

/* Encodes `byte`, or decodes and ignores it. Returns the byte. */
unsigned delta_bytes_code(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c,
                          unsigned byte);

/* Updates the tables (in quick blocks only the last) and the first rank without coding: a fraction of the work. */
void delta_bytes_learn(struct delta_bytes *b, const struct delta_byte_context *c, unsigned byte);

/* Returns the growth of a logit whose source was right. x: upper 8 bits of the logit; count: number of its earlier
 * updates, below 256. */
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
