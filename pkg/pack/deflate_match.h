/* pack/deflate_match.h - what a deflate of the gzip family would choose next, given what it has chosen so far.
 *
 * The method is the published one (RFC 1951, section 4, and the algorithm notes that come with zlib and gzip): hash chains over
 * three bytes, lazy evaluation with the ten well-known sets of limits, matches of three bytes not beyond 4096. Plain value of
 * about 400 KiB; the same input gives the same choices on every machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pack/deflate.h"

enum deflate_flavour {
    DEFLATE_ZLIB,     /* memory level 8, the default */
    DEFLATE_ZLIB_BIG, /* memory level 9 */
    DEFLATE_GNU,      /* GNU gzip */
    DEFLATE_GO, /* Go's compress/flate, levels 2 to 9: chains over four bytes, blocks of 16,384 tokens, codes of its own */
    DEFLATE_FLAVOURS,
};

enum {
    MATCHER_AHEAD = 262, /* bytes beyond a position that are looked at before it is decided, but at the end */
    MATCHER_WINDOW = 2 * DEFLATE_WINDOW,
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
    unsigned char window[MATCHER_WINDOW + 264];
    uint16_t head[1 << 17], before[DEFLATE_WINDOW]; /* GO: positions + 1 */
};

static inline enum deflate_coding deflate_flavour_coding(enum deflate_flavour flavour)
{
    return flavour == DEFLATE_GO ? DEFLATE_CODING_GO : DEFLATE_CODING_GZIP;
}

/* level 1..9; not 1 for DEFLATE_GO, which does that another way */
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
