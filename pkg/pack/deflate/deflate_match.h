/* SPDX-License-Identifier: Apache-2.0 */
/* pack/deflate/deflate_match.h - predict the next token of a known deflate encoder from the content and the encoder's
 * earlier tokens.
 *
 * The method of gzip and zlib is the published one (RFC 1951, section 4, and the algorithm notes of zlib and gzip):
 * hash chains over three bytes and the nine well-known sets of limits, one for each level. Levels 4 to 9 use lazy
 * evaluation and no match of three bytes beyond distance 4096. Go and klauspost/compress (deflate_kp.c) have methods of
 * their own. The same input gives the same tokens on every machine. Threads: a matcher belongs to one thread at a
 * time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pack/deflate/deflate.h"

enum deflate_flavour {
    DEFLATE_ZLIB,     /* zlib with memory level 8, the default */
    DEFLATE_ZLIB_BIG, /* zlib with memory level 9 */
    DEFLATE_GNU,      /* the deflate of GNU gzip */
    /* Go's compress/flate, levels 2 to 9: its hash covers four bytes, a block has 16,384 tokens, and it builds Huffman
     * codes in another way than zlib */
    DEFLATE_GO,
    DEFLATE_KP,    /* klauspost/compress, level 5 (deflate_kp.c) */
    DEFLATE_PGZIP, /* pgzip: like DEFLATE_KP, but restarted every MiB */
    DEFLATE_FLAVOURS,
};

enum {
    /* number of bytes after the current position that a prediction needs, except at the end of the input */
    MATCHER_AHEAD = 262,
    MATCHER_WINDOW = 2 * DEFLATE_WINDOW,
};

/* klauspost/compress searches chunks of this many bytes for matches, and takes no match shorter than LEAST bytes. */
enum { DEFLATE_KP_CHUNK = 65535, DEFLATE_KP_LEAST = 4 };
struct deflate_kp_match {
    uint16_t at, length, distance; /* offset of the match in the chunk, and the length and distance of the match */
};
struct deflate_kp {
    /* Entries are (position in the window + base) modulo 2^16. by4 has the latest position for each hash of four bytes.
     * by7 has the latest position for each hash of seven bytes, and by7_before the position before that. */
    uint16_t by4[1 << 15], by7[1 << 15], by7_before[1 << 15];
    int32_t base;
    unsigned aged; /* value of (position + base) when the tables last dropped old entries */
    unsigned low;  /* no match copies from before this position of the window */
    unsigned size; /* number of bytes of the chunk */
    unsigned left; /* for DEFLATE_PGZIP: number of bytes from the end of the chunk to the end of its segment of 1 MiB */
    unsigned start; /* position of the chunk in the window */
    bool looked;    /* true if `matches` holds the matches of the current chunk */
    /* number of matches; `next` is the index of the first match after the current position */
    uint32_t matches_n, next;
    struct deflate_kp_match matches[DEFLATE_KP_CHUNK / DEFLATE_KP_LEAST];
};

struct deflate_matcher {
    enum deflate_flavour flavour;
    /* limits of the level under zlib's names, and the shortest length of a match */
    unsigned good, lazy, nice, chain, shortest;
    bool fast; /* true for levels without lazy evaluation */
    unsigned hash_bits, hash_shift;
    /* Positions in the window. The next token starts at `at`, the input ends at `end`, and the next bytes to hash start
     * at `inserted`. */
    unsigned at, end, inserted;
    bool eof, has_current;
    /* length and distance of the match at `at`, valid if has_current; a length below 3 means no match */
    unsigned current, current_far;
    /* length and distance of the match at `at` + 1, if the prediction has searched there */
    unsigned next, next_far;
    unsigned char window[DEFLATE_WINDOW + DEFLATE_KP_CHUNK + 264];
    union {
        struct {
            uint16_t head[1 << 17], before[DEFLATE_WINDOW]; /* for DEFLATE_GO, positions + 1 */
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

/* Returns true if an encoder of this flavour has this level. */
bool deflate_flavour_has(enum deflate_flavour flavour, unsigned level);
/* Prepares a matcher. *matcher must be zero, as from calloc(). Each flavour writes only to the pages that it uses, so
 * the other pages of *matcher cost no memory. */
void deflate_matcher_init(struct deflate_matcher *matcher, enum deflate_flavour flavour, unsigned level);
/* Adds as many of the n bytes to the input as the matcher has room for, and returns their number. */
size_t deflate_matcher_fill(struct deflate_matcher *matcher, const unsigned char *bytes, size_t n);
/* Returns true if the caller may call deflate_matcher_predict(). If the result is false, add input with
 * deflate_matcher_fill(), or set `eof` at the end of the input. */
bool deflate_matcher_ready(const struct deflate_matcher *matcher);
uint32_t deflate_matcher_predict(struct deflate_matcher *matcher);
/* Passes the actual token, which may differ from the prediction, to the matcher. The token must not reach beyond the
 * input so far. */
void deflate_matcher_accept(struct deflate_matcher *matcher, uint32_t token);

/* Returns true if an encoder of this flavour and level ends the block after `token`, the latest token of the block. */
bool deflate_flavour_ends(enum deflate_flavour flavour, unsigned level, const struct deflate_writer *block,
                          uint32_t token);

/* Freezes the codes of the block if the original encoder does so at this point. Call after each token, once the writer
 * and the matcher have the token. */
void deflate_flavour_note(const struct deflate_matcher *matcher, struct deflate_writer *block);

/* ---- deflate_kp.c ------------------------------------------------------------------------------------------------ */

void deflate_kp_init(struct deflate_matcher *matcher);
size_t deflate_kp_fill(struct deflate_matcher *matcher, const unsigned char *bytes, size_t n);
bool deflate_kp_ready(const struct deflate_matcher *matcher);
uint32_t deflate_kp_predict(struct deflate_matcher *matcher);
/* Returns true if the latest token ends a chunk of DEFLATE_KP_CHUNK bytes. */
bool deflate_kp_chunk_ends(const struct deflate_matcher *matcher);
