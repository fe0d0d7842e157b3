/* SPDX-License-Identifier: Apache-2.0 */
/* The method of gzip and zlib is the published one (RFC 1951, section 4, and the algorithm notes of zlib and gzip):
 * hash chains over three bytes and the nine well-known sets of limits, one for each level. Levels 4 to 9 use lazy
 * evaluation and no match of three bytes beyond distance 4096. */
#include "pack/deflate/deflate_match.h"

#include <string.h>

#include "base/endian.h"
#include "base/macros.h"

enum {
    MIN_MATCH = 3,
    GO_MIN_MATCH = 4,
    GO_HASH_BITS = 17,
    MAX_MATCH = 258,
    MAX_FAR = DEFLATE_WINDOW - MATCHER_AHEAD,
    TOO_FAR = 4096
};

void deflate_matcher_init(struct deflate_matcher *matcher, enum deflate_flavour flavour, unsigned level)
{
    static const struct {
        uint16_t good, lazy, nice, chain;
    } limits[10] = {
        {0, 0, 0, 0},    {4, 4, 8, 4},      {4, 5, 16, 8},     {4, 6, 32, 32},       {4, 4, 16, 16},
        {8, 16, 32, 32}, {8, 16, 128, 128}, {8, 32, 128, 256}, {32, 128, 258, 1024}, {32, 258, 258, 4096},
    };

    matcher->flavour = flavour;
    if (deflate_flavour_is_kp(flavour)) {
        deflate_kp_init(matcher);
        return;
    }
    matcher->good = limits[level].good;
    matcher->lazy = limits[level].lazy;
    matcher->nice = limits[level].nice;
    matcher->chain = limits[level].chain;
    matcher->fast = level <= 3;
    if (flavour == DEFLATE_GO && matcher->fast)
        matcher->lazy = level == 2 ? 5 : 6; /* the longest match in which every position gets hashed */
    matcher->shortest = flavour == DEFLATE_GO ? GO_MIN_MATCH : MIN_MATCH;
    matcher->hash_bits = flavour == DEFLATE_GO ? GO_HASH_BITS : flavour == DEFLATE_ZLIB_BIG ? 16 : 15;
    matcher->hash_shift = (matcher->hash_bits + MIN_MATCH - 1) / MIN_MATCH;
}

static void slide_table(uint16_t *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        table[i] = (uint16_t)(table[i] >= DEFLATE_WINDOW ? table[i] - DEFLATE_WINDOW : 0);
}

static void slide(struct deflate_matcher *matcher)
{
    memmove(matcher->window, matcher->window + DEFLATE_WINDOW, DEFLATE_WINDOW);
    matcher->at -= DEFLATE_WINDOW;
    matcher->end -= DEFLATE_WINDOW;
    matcher->inserted -= DEFLATE_WINDOW;
    slide_table(matcher->head, (size_t)1 << matcher->hash_bits);
    slide_table(matcher->before, HF_LEN(matcher->before));
}

size_t deflate_matcher_fill(struct deflate_matcher *matcher, const unsigned char *bytes, size_t n)
{
    if (deflate_flavour_is_kp(matcher->flavour))
        return deflate_kp_fill(matcher, bytes, n);
    if (matcher->at >= DEFLATE_WINDOW + MAX_FAR)
        slide(matcher);
    n = HF_MIN(n, (size_t)(MATCHER_WINDOW - matcher->end));
    memcpy(matcher->window + matcher->end, bytes, n);
    matcher->end += (unsigned)n;
    return n;
}

bool deflate_matcher_ready(const struct deflate_matcher *matcher)
{
    if (deflate_flavour_is_kp(matcher->flavour))
        return deflate_kp_ready(matcher);
    return matcher->end - matcher->at > (matcher->eof ? 0 : MATCHER_AHEAD);
}

/* Inserts the position into its chain. Returns the position before it in the chain; 0: none. */
static unsigned insert(struct deflate_matcher *matcher, unsigned at)
{
    const unsigned char *p = matcher->window + at;

    matcher->inserted = at + 1;
    if (matcher->end - at < MIN_MATCH)
        return 0;
    unsigned hash = ((unsigned)p[0] << 2 * matcher->hash_shift ^ (unsigned)p[1] << matcher->hash_shift ^ p[2]) &
                    ((1u << matcher->hash_bits) - 1);
    unsigned before = matcher->head[hash];
    matcher->before[at % DEFLATE_WINDOW] = (uint16_t)before;
    matcher->head[hash] = (uint16_t)at;
    return before;
}

/* Returns the length of the longest match at `at` if it is longer than `best`, else `best`. */
static unsigned longest(const struct deflate_matcher *matcher, unsigned at, unsigned candidate, unsigned best,
                        unsigned *far)
{
    const unsigned char *scan = matcher->window + at;
    unsigned ahead = matcher->end - at, limit = at > MAX_FAR ? at - MAX_FAR : 0;
    unsigned nice = matcher->flavour == DEFLATE_GNU ? matcher->nice : HF_MIN(matcher->nice, ahead);
    unsigned chain = best >= matcher->good ? matcher->chain / 4 : matcher->chain;

    do {
        const unsigned char *match = matcher->window + candidate;
        if (match[best] != scan[best] || match[best - 1] != scan[best - 1] || match[0] != scan[0] ||
            match[1] != scan[1])
            continue;
        unsigned n = 2;
        while (n < MAX_MATCH && match[n] == scan[n])
            n++;
        if (n > best) {
            best = n;
            *far = at - candidate;
            if (n >= nice || n == MAX_MATCH)
                break;
        }
    } while ((candidate = matcher->before[candidate % DEFLATE_WINDOW]) > limit && --chain != 0);
    return HF_MIN(best, ahead);
}

/* ---- Go ---------------------------------------------------------------------------------------------------------- */

/* As insert(), but stores positions plus one, so that the first position counts as one, too. */
static unsigned go_insert(struct deflate_matcher *matcher, unsigned at)
{
    const unsigned char *p = matcher->window + at;

    matcher->inserted = at + 1;
    if (matcher->end - at < GO_MIN_MATCH)
        return 0;
    uint16_t *head = &matcher->head[hf_be32(p) * UINT32_C(0x1e35a7bd) >> (32 - GO_HASH_BITS)];
    unsigned before = *head;
    matcher->before[at % DEFLATE_WINDOW] = *head;
    *head = (uint16_t)(at + 1);
    return before;
}

static unsigned go_longest(const struct deflate_matcher *matcher, unsigned at, unsigned candidate, unsigned *far)
{
    const unsigned char *scan = matcher->window + at;
    unsigned limit = HF_MIN((unsigned)MAX_MATCH, matcher->end - at), nice = HF_MIN(matcher->nice, limit);
    unsigned best = GO_MIN_MATCH - 1;

    for (unsigned chain = matcher->chain; chain > 0; chain--) {
        const unsigned char *match = matcher->window + candidate - 1;
        unsigned n = 0, back = at - (candidate - 1);
        while (match[best] == scan[best] && n < limit && match[n] == scan[n])
            n++;
        if (n > best && (n > GO_MIN_MATCH || back <= TOO_FAR)) {
            best = n;
            *far = back;
            if (n >= nice)
                break;
        }
        if (back == DEFLATE_WINDOW)
            break;
        candidate = matcher->before[(candidate - 1) % DEFLATE_WINDOW];
        if (candidate == 0 || at - (candidate - 1) > DEFLATE_WINDOW)
            break;
    }
    return best;
}

static unsigned go_find(struct deflate_matcher *matcher, unsigned at, unsigned before, unsigned *far)
{
    unsigned candidate = go_insert(matcher, at), none = GO_MIN_MATCH - 1, ahead = matcher->end - at;

    if (candidate == 0 || at - (candidate - 1) > DEFLATE_WINDOW || ahead <= none ||
        (!matcher->fast && (before >= matcher->lazy || ahead <= before)))
        return none;
    return go_longest(matcher, at, candidate, far);
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

/* Inserts `at` into its chain and returns the length of its match. `before`: length of the match at the byte before. */
static unsigned find(struct deflate_matcher *matcher, unsigned at, unsigned before, unsigned *far)
{
    if (matcher->flavour == DEFLATE_GO)
        return go_find(matcher, at, before, far);
    unsigned candidate = insert(matcher, at), n = 2;

    if (candidate == 0 || at - candidate > MAX_FAR || (!matcher->fast && before >= matcher->lazy))
        return n;
    n = longest(matcher, at, candidate, before, far);
    return !matcher->fast && n == MIN_MATCH && *far > TOO_FAR ? 2 : n;
}

uint32_t deflate_matcher_predict(struct deflate_matcher *matcher)
{
    unsigned none = matcher->shortest - 1;

    if (deflate_flavour_is_kp(matcher->flavour))
        return deflate_kp_predict(matcher);
    if (!matcher->has_current) {
        matcher->current_far = 0;
        matcher->current = find(matcher, matcher->at, none, &matcher->current_far);
        matcher->has_current = true;
    }
    matcher->next = none;
    matcher->next_far = 0;
    if (!matcher->fast && matcher->end - matcher->at > 1)
        matcher->next = find(matcher, matcher->at + 1, HF_MAX(matcher->current, none), &matcher->next_far);
    if (matcher->current > none && matcher->next <= matcher->current)
        return deflate_match(matcher->current, matcher->current_far);
    return matcher->window[matcher->at];
}

void deflate_matcher_accept(struct deflate_matcher *matcher, uint32_t token)
{
    unsigned n = deflate_length(token), stop = matcher->at + n;

    if (deflate_flavour_is_kp(matcher->flavour)) {
        matcher->at = stop;
        return;
    }
    if (token < 256) {
        matcher->at++;
        matcher->has_current = !matcher->fast && matcher->inserted == matcher->at + 1;
        matcher->current =
            matcher->next > matcher->current && matcher->next_far != 0 ? matcher->next : matcher->shortest - 1;
        matcher->current_far = matcher->next_far;
        return;
    }
    bool go = matcher->flavour == DEFLATE_GO;
    bool all = !matcher->fast || (n <= matcher->lazy && (go || matcher->end - stop >= MIN_MATCH));
    for (unsigned at = matcher->inserted; all && at < stop; at++)
        (void)(go ? go_insert(matcher, at) : insert(matcher, at));
    matcher->inserted = stop;
    matcher->at = stop;
    matcher->has_current = false;
}

bool deflate_flavour_ends(enum deflate_flavour flavour, unsigned level, const struct deflate_writer *block,
                          uint32_t token)
{
    uint64_t bits = (uint64_t)block->tokens_n * 8;

    if (flavour == DEFLATE_GO)
        return block->tokens_n == 16384;
    if (deflate_flavour_is_kp(flavour))
        return false; /* each end has a mark */
    if (flavour != DEFLATE_GNU)
        return block->tokens_n == (flavour == DEFLATE_ZLIB ? 16383 : 32767);
    if (level > 2 && block->tokens_n % 4096 == 0) {
        /* GNU gzip estimates whether ending the block here pays; it counts up to the byte it has looked at. */
        uint64_t seen = block->content_n - deflate_length(token) + (level > 3 ? 1 : 0);
        for (unsigned i = 0; i < DEFLATE_DISTANCES; i++)
            bits += (uint64_t)block->distance[i] * (5u + deflate_distance_bits[i]);
        if (block->matches_n < block->tokens_n / 2 && bits / 8 < seen / 2)
            return true;
    }
    return block->tokens_n == 32767 || block->matches_n == 32768;
}

bool deflate_flavour_has(enum deflate_flavour flavour, unsigned level)
{
    if (deflate_flavour_is_kp(flavour))
        return flavour < DEFLATE_FLAVOURS && level == 5;
    return level >= (flavour == DEFLATE_GO ? 2 : 1) && level <= 9;
}

void deflate_flavour_note(const struct deflate_matcher *matcher, struct deflate_writer *block)
{
    if (deflate_flavour_is_kp(matcher->flavour) && deflate_kp_chunk_ends(matcher))
        deflate_writer_freeze(block);
}
