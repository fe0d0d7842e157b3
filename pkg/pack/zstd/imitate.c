/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables lead from a hash of 8 and of 5 bytes to the latest position that was looked at. Positions count content
 * of all new frames, modulo 2^32: what lies before the frame is beyond what `content` has, and no candidate.
 *
 * What happens behind a sequence depends on how it was found, so it happens when the next one is asked for. */
#include "pack/zstd/imitate.h"

#include <stdlib.h>

#include "base/macros.h"
#include "pack/zstd/model.h"

enum {
    LONG_LOG = 17,
    SHORT_LOG = 15,
    BLOCK_MIN = 16,  /* of a block with sequences */
    MARGIN = 10,     /* bytes at a block's end where no search begins */
    SKIP_LOG = 7,    /* steps grow by one per 128 bytes without a match */
    REPEAT_FROM = 3, /* sequences in a block before a last offset is tried */
};

enum imitate_found { NOTHING, REPEAT, MATCH, SECOND };

struct pack_zimitate {
    uint64_t window_n;
    uint32_t at, start, anchor; /* in the block: behind the last sequence; of its match; behind the last MATCH */
    uint32_t last[2];           /* distances */
    size_t n;                   /* sequences of the block */
    enum imitate_found found;
    bool alone, repeats;
    uint32_t of_long[1 << LONG_LOG], of_short[1 << SHORT_LOG]; /* position + 1 */
};

struct pack_zimitate *pack_zimitate_new(void)
{
    return calloc(1, sizeof(struct pack_zimitate));
}

void pack_zimitate_free(struct pack_zimitate *imitate)
{
    free(imitate);
}

void pack_zimitate_frame(struct pack_zimitate *imitate, uint64_t window_n)
{
    imitate->window_n = window_n;
}

void pack_zimitate_block(struct pack_zimitate *imitate, bool alone)
{
    imitate->at = imitate->start = imitate->anchor = 0;
    imitate->n = 0;
    imitate->found = NOTHING;
    imitate->alone = alone;
    imitate->repeats = false;
}

static uint32_t *long_slot(struct pack_zimitate *imitate, uint64_t bytes)
{
    return &imitate->of_long[bytes * UINT64_C(0xcf1bbcdcb7a56463) >> (64 - LONG_LOG)];
}

static uint32_t *short_slot(struct pack_zimitate *imitate, uint64_t bytes)
{
    return &imitate->of_short[(bytes << 24) * UINT64_C(889523592379) >> (64 - SHORT_LOG)];
}

static uint32_t place(const struct pack_zcontent *content, uint32_t at)
{
    return (uint32_t)(content->at + at + 1);
}

/* `distance` before `at` there is content that a match may use, and its 4 bytes are those at p. */
static bool is_equal(const struct pack_zcontent *content, uint32_t at, const unsigned char *p, uint32_t distance)
{
    return distance > 0 && distance <= at + (uint64_t)content->before &&
           hf_le32(content->p + at - distance) == hf_le32(p);
}

/* The distance to which a slot leads, or 0. */
static uint32_t candidate(const struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t at,
                          uint32_t slot)
{
    uint32_t distance = place(content, at) - slot;

    return slot != 0 && distance < imitate->window_n && is_equal(content, at, content->p + at, distance) ? distance : 0;
}

/* Bytes from `at` to the block's end that are equal to those before. */
static uint32_t forward(const struct pack_zcontent *content, uint32_t at, uint32_t n, uint32_t distance)
{
    const unsigned char *p = content->p + at, *q = p - distance;
    uint32_t i = 0, left = n - at;

    for (; i + 8 <= left; i += 8) {
        uint64_t d = hf_le64(p + i) ^ hf_le64(q + i);
        if (d != 0)
            return i + (uint32_t)__builtin_ctzll(d) / 8;
    }
    while (i < left && p[i] == q[i])
        i++;
    return i;
}

/* Bytes before `at` that are equal, down to `from`. The window is that of `seen`. */
static uint32_t backward(const struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t seen,
                         uint32_t at, uint32_t from, uint32_t distance)
{
    const unsigned char *p = content->p + at, *q = p - distance;
    uint64_t reach = HF_MIN(seen + (uint64_t)content->before, imitate->window_n); /* before `seen` */
    uint64_t room = at + reach - seen;                                            /* before `at` */
    uint32_t most = room > distance ? (uint32_t)HF_MIN(room - distance, (uint64_t)at - from) : 0, i = 0;

    while (i < most && p[-1 - (ptrdiff_t)i] == q[-1 - (ptrdiff_t)i])
        i++;
    return i;
}

/* What is stored behind a match, of its begin and its end. */
static void store_ends(struct pack_zimitate *imitate, const struct pack_zcontent *content)
{
    const uint32_t at[2] = {imitate->start + 1, imitate->at - 2};

    for (unsigned i = 0; i < 2; i++)
        *long_slot(imitate, hf_le64(content->p + at[i])) = place(content, at[i]);
    for (unsigned i = 0; i < 2; i++)
        *short_slot(imitate, hf_le64(content->p + at[i]) >> 8) = place(content, at[i] + 1);
}

static void store(struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t at, uint32_t hashed)
{
    *long_slot(imitate, hf_le64(content->p + at)) = place(content, at);
    *short_slot(imitate, hf_le64(content->p + hashed)) = place(content, at);
}

static bool repeats(const struct pack_zimitate *imitate)
{
    return imitate->alone ? imitate->n >= REPEAT_FROM : imitate->repeats;
}

/* A match at `at`, extended to both sides. */
static void take(const struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t n, uint32_t at,
                 uint32_t distance, struct pack_zframe_sequence *ret_guess)
{
    uint32_t more = backward(imitate, content, at, at, imitate->at, distance);

    ret_guess->literals = at - more - imitate->at;
    ret_guess->match = 4 + forward(content, at + 4, n, distance) + more;
    ret_guess->offset = distance + 3;
}

/* Whether one begins at `at`. */
static bool look(struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t n, uint32_t at,
                 struct pack_zframe_sequence *ret_guess)
{
    const unsigned char *p = content->p + at;
    uint64_t bytes = hf_le64(p);
    uint32_t *far = long_slot(imitate, bytes), *near = short_slot(imitate, bytes), here = place(content, at);
    uint32_t far_was = *far, near_was = *near, last = imitate->last[0], distance;

    *far = *near = here;
    if (repeats(imitate) && is_equal(content, at + 1, p + 1, last)) {
        uint32_t more = backward(imitate, content, at, at + 1, imitate->at + 1, last);
        ret_guess->literals = at + 1 - more - imitate->at;
        ret_guess->match = 4 + forward(content, at + 5, n, last) + more;
        ret_guess->offset = 1;
        return true;
    }
    if ((distance = candidate(imitate, content, at, far_was)) != 0) {
        take(imitate, content, n, at, distance, ret_guess);
        return true;
    }
    if ((distance = candidate(imitate, content, at, near_was)) == 0)
        return false;
    far = long_slot(imitate, hf_le64(p + 1));
    far_was = *far;
    *far = here + 1;
    uint32_t next = candidate(imitate, content, at + 1, far_was);
    take(imitate, content, n, next != 0 ? at + 1 : at, next != 0 ? next : distance, ret_guess);
    return true;
}

bool pack_zimitate_guess(struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t n,
                         struct pack_zframe_sequence *ret_guess)
{
    uint32_t at = imitate->at;

    if (n < BLOCK_MIN || at + MARGIN >= n)
        return false;
    if (imitate->found == MATCH) {
        store_ends(imitate, content);
        imitate->anchor = at;
    }
    if (imitate->found == MATCH || imitate->found == SECOND) {
        uint32_t distance = imitate->last[1];
        if (repeats(imitate) && is_equal(content, at, content->p + at, distance)) {
            store(imitate, content, at, imitate->alone ? imitate->anchor : at);
            *ret_guess = (struct pack_zframe_sequence){0, 4 + forward(content, at + 4, n, distance), 1};
            return true;
        }
        imitate->repeats = imitate->n >= REPEAT_FROM;
    }
    for (; at + MARGIN < n; at += 1 + ((at - imitate->at) >> SKIP_LOG))
        if (look(imitate, content, n, at, ret_guess))
            return true;
    return false;
}

void pack_zimitate_tell(struct pack_zimitate *imitate, const struct pack_zframe_sequence *sequence)
{
    uint32_t last = imitate->last[0];

    imitate->start = imitate->at + sequence->literals;
    imitate->at = imitate->start + sequence->match;
    imitate->n++;
    imitate->found = sequence->offset > 3 ? MATCH : sequence->literals > 0 ? REPEAT : SECOND;
    if (imitate->found == REPEAT)
        return;
    imitate->last[0] = imitate->found == MATCH ? sequence->offset - 3 : imitate->last[1];
    imitate->last[1] = last;
}

void pack_zimitate_skip(struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t n)
{
    struct pack_zframe_sequence guess;

    pack_zimitate_block(imitate, false);
    while (pack_zimitate_guess(imitate, content, n, &guess))
        pack_zimitate_tell(imitate, &guess);
}
