/* SPDX-License-Identifier: Apache-2.0 */
/* Predicts the next token of an encoder from content and earlier tokens. Deterministic. Threads: one at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pack/deflate/deflate.h"

enum deflate_flavour {
    DEFLATE_ZLIB,     /* memory level 8, the default */
    DEFLATE_ZLIB_BIG, /* memory level 9 */
    DEFLATE_GNU,      /* the gzip program */
    /* Go's compress/flate, levels 2 to 9 */
    DEFLATE_GO,
    DEFLATE_KP,    /* klauspost/compress, level 5 */
    DEFLATE_PGZIP, /* pgzip: KP, restarted every MiB */
    DEFLATE_FLAVOURS,
};

enum {
    MATCHER_AHEAD = 262, /* bytes ahead that a prediction needs, except at the end of input */
    MATCHER_WINDOW = 2 * DEFLATE_WINDOW,
};

enum { DEFLATE_KP_CHUNK = 65535, DEFLATE_KP_LEAST = 4 };
struct deflate_kp_match {
    uint16_t at, length, distance;
};
struct deflate_kp {
    uint16_t by4[1 << 15], by7[1 << 15], by7_before[1 << 15];
    int32_t base;
    unsigned aged;
    unsigned low;
    unsigned size;
    unsigned left;
    unsigned start;
    bool looked;
    uint32_t matches_n, next;
    struct deflate_kp_match matches[DEFLATE_KP_CHUNK / DEFLATE_KP_LEAST];
};

struct deflate_matcher {
    enum deflate_flavour flavour;
    unsigned good, lazy, nice, chain, shortest;
    bool fast;
    unsigned hash_bits, hash_shift;
    /* positions in the window: next token, end of input, next byte to hash */
    unsigned at, end, inserted;
    bool eof, has_current;
    /* length (below `shortest`: none) and distance of the match at `at`, if has_current */
    unsigned current, current_far;
    unsigned next, next_far;
    unsigned char window[DEFLATE_WINDOW + DEFLATE_KP_CHUNK + 264];
    union {
        struct {
            uint16_t head[1 << 17], before[DEFLATE_WINDOW];
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

bool deflate_flavour_has(enum deflate_flavour flavour, unsigned level);
/* The matcher must be zeroed, as by calloc(): unused pages then cost no memory. */
void deflate_matcher_init(struct deflate_matcher *matcher, enum deflate_flavour flavour, unsigned level);
size_t deflate_matcher_fill(struct deflate_matcher *matcher, const unsigned char *bytes, size_t n);
/* Whether deflate_matcher_predict() can run. If not, fill the matcher, or set `eof` at the end. */
bool deflate_matcher_ready(const struct deflate_matcher *matcher);
uint32_t deflate_matcher_predict(struct deflate_matcher *matcher);
void deflate_matcher_accept(struct deflate_matcher *matcher, uint32_t token);

bool deflate_flavour_ends(enum deflate_flavour flavour, unsigned level, const struct deflate_writer *block,
                          uint32_t token);

/* Call it after each token: freezes the block's codes when the encoder does. */
void deflate_flavour_note(const struct deflate_matcher *matcher, struct deflate_writer *block);

void deflate_kp_init(struct deflate_matcher *matcher);
size_t deflate_kp_fill(struct deflate_matcher *matcher, const unsigned char *bytes, size_t n);
bool deflate_kp_ready(const struct deflate_matcher *matcher);
uint32_t deflate_kp_predict(struct deflate_matcher *matcher);
bool deflate_kp_chunk_ends(const struct deflate_matcher *matcher);
