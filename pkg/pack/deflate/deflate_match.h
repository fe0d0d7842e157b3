/* pack/deflate/deflate_match.h - what a deflate of the gzip family would choose next, given what it has chosen so far.
 *
 * The method is the published one (RFC 1951, section 4, and the algorithm notes that come with zlib and gzip): hash chains over
 * three bytes, lazy evaluation with the ten well-known sets of limits, matches of three bytes not beyond 4096. The same input gives the
 * same choices on every machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pack/deflate/deflate.h"

enum deflate_flavour {
    DEFLATE_ZLIB,     /* memory level 8, the default */
    DEFLATE_ZLIB_BIG, /* memory level 9 */
    DEFLATE_GNU,      /* GNU gzip */
    DEFLATE_GO, /* Go's compress/flate, levels 2 to 9: chains over four bytes, blocks of 16,384 tokens, codes of its own */
    DEFLATE_KP,    /* klauspost/compress, level 5: deflate_kp.c */
    DEFLATE_PGZIP, /* the same, anew every MiB, as pgzip does it */
    DEFLATE_FLAVOURS,
};

enum {
    MATCHER_AHEAD = 262, /* bytes beyond a position that are looked at before it is decided, but at the end */
    MATCHER_WINDOW = 2 * DEFLATE_WINDOW,
};

/* Content goes by chunks, which are looked through as a whole. */
enum { DEFLATE_KP_CHUNK = 65535, DEFLATE_KP_LEAST = 4 };
struct deflate_kp_match {
    uint16_t at, length, distance; /* at: behind the chunk's start */
};
struct deflate_kp {
    uint16_t by4[1 << 15], by7[1 << 15], by7_before[1 << 15]; /* positions + base, modulo 2^16 */
    int32_t base;
    unsigned aged;              /* up to that position + base */
    unsigned low;               /* nothing before this position of the window is matched */
    unsigned size, left, start; /* of the chunk; of the segment behind it; where the chunk starts */
    bool looked;                /* through the chunk: */
    uint32_t matches_n, next;   /* what is chosen; the first that is not passed yet */
    struct deflate_kp_match matches[DEFLATE_KP_CHUNK / DEFLATE_KP_LEAST];
};

struct deflate_matcher {
    enum deflate_flavour flavour;
    unsigned good, lazy, nice, chain, shortest;
    bool fast;
    unsigned hash_bits, hash_shift;
    unsigned at, end, inserted; /* positions in the window: next token, end of input, next one to be hashed */
    bool eof, has_current;
    unsigned current, current_far; /* match at `at`, when has_current; below 3: none */
    unsigned next, next_far;       /* match at `at` + 1, found while predicting */
    unsigned char window[DEFLATE_WINDOW + DEFLATE_KP_CHUNK + 264];
    union {
        struct {
            uint16_t head[1 << 17], before[DEFLATE_WINDOW]; /* GO: positions + 1 */
        };
        struct deflate_kp kp;
    };
};

static inline enum deflate_coding deflate_flavour_coding(enum deflate_flavour flavour)
{
    return flavour >= DEFLATE_GO ? DEFLATE_CODING_GO : DEFLATE_CODING_GZIP;
}

static inline bool deflate_flavour_is_kp(enum deflate_flavour flavour)
{
    return flavour >= DEFLATE_KP;
}

/* Is this level of it known? */
bool deflate_flavour_has(enum deflate_flavour flavour, unsigned level);
/* Of memory that is all zero, as calloc() gives it: pages that this flavour has no use for are never touched. */
void deflate_matcher_init(struct deflate_matcher *matcher, enum deflate_flavour flavour, unsigned level);
/* Take input, as much as there is room for; returns how much. */
size_t deflate_matcher_fill(struct deflate_matcher *matcher, const unsigned char *bytes, size_t n);
/* Can the next token be told? (No: more input, or eof.) */
bool deflate_matcher_ready(const struct deflate_matcher *matcher);
uint32_t deflate_matcher_predict(struct deflate_matcher *matcher);
/* This was the token (predicted or not); it must fit into the input there is. */
void deflate_matcher_accept(struct deflate_matcher *matcher, uint32_t token);

/* Does a block end after its latest token? */
bool deflate_flavour_ends(enum deflate_flavour flavour, unsigned level, const struct deflate_writer *block,
                          uint32_t token);

/* After each token, once it is written and accepted: what the codes of a block will be made of. */
void deflate_flavour_note(const struct deflate_matcher *matcher, struct deflate_writer *block);

/* ---- deflate_kp.c ------------------------------------------------------------------------------------------------------ */

void deflate_kp_init(struct deflate_matcher *matcher);
size_t deflate_kp_fill(struct deflate_matcher *matcher, const unsigned char *bytes, size_t n);
bool deflate_kp_ready(const struct deflate_matcher *matcher);
uint32_t deflate_kp_predict(struct deflate_matcher *matcher);
bool deflate_kp_chunk_ends(const struct deflate_matcher *matcher); /* a full one, with the latest token */
