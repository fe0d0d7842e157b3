/* delta/cm/bytes.h - code a byte by what is known of it: several contexts and several bytes it may be, mixed bit by bit. Integers
 * only, one code path for both directions.
 *
 * Contexts are of two sorts. A table holds, for each bit that followed a context, a state that counts what was seen there
 * (delta/cm/states.h); rows carry a check, so a context that is new is known to be. A rank holds the byte last seen behind a context and
 * how often it came: four bytes each, for long contexts, of which there are too many for tables. Ranks and guesses are sources:
 * they expect a byte. One that is sure of it can be asked first, by one bit: that takes a fifth of the time of eight, and some more room.
 *
 * All that is known of a bit is eight numbers, one vector: the most trusted rank, three guesses, what three tables say, and a constant. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/states.h"

enum {
    BYTES_TABLES = 3,
    BYTES_TABLE_BITS = 18, /* at most: small files have small tables, for they must not pay for clearing large ones */
    BYTES_TABLE_BITS_MIN = 12,
    BYTES_RANKS = 2,
    BYTES_RANK_BITS = 14,
    BYTES_GUESSES = 3,
    BYTES_TRUSTS = 256,
    BYTES_SOURCES = BYTES_RANKS * 16 + BYTES_TRUSTS,
    BYTES_CLASSES = 6,
    BYTES_SCENES = 4,
};

/* What a byte is coded by. */
struct delta_byte_context {
    uint32_t table[BYTES_TABLES], rank[BYTES_RANKS]; /* hashes of contexts */
    uint16_t guess[BYTES_GUESSES];                   /* bytes it may be, + 1; 0: none */
    uint16_t trust[BYTES_GUESSES]; /* below BYTES_TRUSTS: which guesses are alike in how good they are */
    unsigned kind;                 /* choosing weights: below BYTES_CLASSES, */
    unsigned near, scene;          /* below 256, below BYTES_SCENES */
};

struct delta_bytes {
    _Alignas(64) delta_lanes by_node[BYTES_CLASSES * 256], by_fit[BYTES_CLASSES * 128], by_scene[BYTES_SCENES * 256],
        by_sure[16];
    uint8_t *tables; /* BYTES_TABLES of 2^table_bits, aligned like a cache line; behind them */
    uint32_t *ranks; /* BYTES_RANKS of 2^rank_bits */
    unsigned table_bits, rank_bits;
    bool quick;
    /* Chances as their logarithm, ln(p / (1 - p)) * 4096: of a 1 behind a state; and, adaptive, that a source (a rank, by its count, or
     * a guess, by its trust) is right which has been right as often, by bits to come, and about the whole byte. */
    int16_t state_says[DELTA_STATES];
    int16_t source_says[BYTES_SOURCES + 1][8]; /* the last: of none */
    int16_t byte_says[BYTES_SOURCES + 1];
    /* how far such a logarithm moves, by where it is; what is added to look that up, and to what was found, by count */
    uint16_t rise[512];
    int16_t rate[256], more[256];
    uint16_t squash[4096];         /* delta_squash_init() */
    uint8_t next[DELTA_STATES][2]; /* the state that follows a 0, and a 1 */
    uint8_t source_count[BYTES_SOURCES + 1];
};

/* Once, before the first reset, for blocks of so many bytes at most. `lean`: how often tables and ranks are halved. -ENOMEM, and
 * nothing to be done with. */
HF_MUST_USE int delta_bytes_open(struct delta_bytes *b, uint64_t block, unsigned lean);
void delta_bytes_done(struct delta_bytes *b);
/* `quick`: less work, some more room: a source that is sure is asked first, and only some contexts are learned. */
void delta_bytes_reset(struct delta_bytes *b, bool quick);

/* Code `byte`; decoding, its value does not matter. Returns the byte. */
unsigned delta_bytes_code(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c,
                          unsigned byte);

/* Note in tables (the last one alone where it shall be quick) and the first rank what followed: a fraction of the work. */
void delta_bytes_learn(struct delta_bytes *b, const struct delta_byte_context *c, unsigned byte);

/* What such a logarithm grows by where it was right, x being its upper 8 bits, and was asked `count` (below 256) times before. */
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
