/* SPDX-License-Identifier: Apache-2.0 */
/* A suffix is of type S if it sorts before the next one, else of type L. An S suffix after an L suffix is "leading"
 * (LMS in the paper). Once the leading suffixes are in order, one pass from the front places all L suffixes and one
 * from the back all S suffixes. Starting with leading suffixes in any order, the same two passes sort the pieces
 * between one of them and the next. Naming the pieces by their rank gives a text of at most half the length, which the
 * same algorithm sorts. That text, its order and, if they fit, the buckets of its letters share the memory of the
 * result.
 *
 * Types are not stored: the suffix before one just read is of type L if its letter is not less; it is of type S if
 * its letter is less, or if the letters are equal and the suffix read is among the S suffixes of its bucket. The end
 * of the text is less than every letter. */
#include "delta/match/suffix_sort.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct text {
    const void *p;
    size_t n, letters;
    int32_t *order;
    int32_t *buckets; /* by letter */
};

/* Reads a letter of a text of bytes, or of numbers. */
static HF_ALWAYS_INLINE uint32_t letter(const struct text *t, bool wide, size_t at)
{
    return wide ? ((const uint32_t *)t->p)[at] : ((const unsigned char *)t->p)[at];
}

enum border { FIRST, BEHIND };

static HF_ALWAYS_INLINE void find_buckets(const struct text *t, bool wide, enum border border)
{
    int32_t sum = 0;

    memset(t->buckets, 0, t->letters * sizeof(*t->buckets));
    for (size_t i = 0; i < t->n; i++)
        t->buckets[letter(t, wide, i)]++;
    for (size_t c = 0; c < t->letters; c++) {
        int32_t n = t->buckets[c];
        sum += n;
        t->buckets[c] = border == FIRST ? sum - n : sum;
    }
}

static HF_ALWAYS_INLINE void induce(const struct text *t, bool wide)
{
    int32_t *order = t->order, *buckets = t->buckets;

    find_buckets(t, wide, FIRST);
    order[buckets[letter(t, wide, t->n - 1)]++] = (int32_t)(t->n - 1);
    for (size_t i = 0; i < t->n; i++) {
        int32_t at = order[i];
        if (at <= 0)
            continue;
        uint32_t c = letter(t, wide, (size_t)at - 1);
        if (c >= letter(t, wide, (size_t)at))
            order[buckets[c]++] = at - 1;
    }
    find_buckets(t, wide, BEHIND);
    for (size_t i = t->n; i-- > 0;) {
        int32_t at = order[i];
        if (at <= 0)
            continue;
        uint32_t c = letter(t, wide, (size_t)at - 1), own = letter(t, wide, (size_t)at);
        if (c < own || (c == own && (int32_t)i >= buckets[c]))
            order[--buckets[c]] = at - 1;
    }
}

/* Returns the leading suffix before `end`, which is one itself or the end of the text; 0 if there is none. */
static HF_ALWAYS_INLINE size_t leading_before(const struct text *t, bool wide, size_t end)
{
    size_t at = end - 1; /* type L */

    while (at > 0 && letter(t, wide, at - 1) >= letter(t, wide, at))
        at--;
    if (at > 0)
        at--; /* type S */
    while (at > 0 && letter(t, wide, at - 1) <= letter(t, wide, at))
        at--;
    return at;
}

/* Puts the leading suffixes, in any order, at the end of their buckets; sorts their pieces; moves them to the front.
 * Returns their number. */
static HF_ALWAYS_INLINE size_t sort_pieces(const struct text *t, bool wide)
{
    size_t n = 0;

    memset(t->order, 0, t->n * sizeof(*t->order));
    find_buckets(t, wide, BEHIND);
    for (size_t at = t->n; (at = leading_before(t, wide, at)) > 0; n++)
        t->order[--t->buckets[letter(t, wide, at)]] = (int32_t)at;
    if (n == 0)
        return 0;
    induce(t, wide);
    n = 0;
    for (size_t c = 0; c < t->letters; c++) /* from here on, `buckets` are the starts of their S suffixes */
        for (size_t i = (size_t)t->buckets[c]; i < t->n && letter(t, wide, (size_t)t->order[i]) == c; i++) {
            size_t at = (size_t)t->order[i];
            if (at > 0 && letter(t, wide, at - 1) > c)
                t->order[n++] = (int32_t)at;
        }
    return n;
}

/* Writes the names of the pieces, in text order, to the end of the result. Returns the number of names. */
static HF_ALWAYS_INLINE size_t name_pieces(const struct text *t, bool wide, size_t pieces)
{
    int32_t *order = t->order, *by_place = order + pieces;
    size_t names = 0, before = 0, before_n = 0, letter_n = wide ? sizeof(uint32_t) : 1, next = t->n;

    memset(by_place, 0, (t->n - pieces) * sizeof(*order));
    for (size_t at = next; (at = leading_before(t, wide, at)) > 0; next = at)
        /* length of the piece; the last one equals no other */
        by_place[at / 2] = next < t->n ? (int32_t)(next - at) : 0;
    for (size_t i = 0; i < pieces; i++) {
        size_t at = (size_t)order[i], n = (size_t)by_place[at / 2];
        const char *text = t->p;
        bool same =
            n > 0 && n == before_n && memcmp(text + at * letter_n, text + before * letter_n, (n + 1) * letter_n) == 0;
        names += !same;
        before = at;
        before_n = n;
        by_place[at / 2] = (int32_t)names;
    }
    for (size_t i = t->n, to = t->n; i-- > pieces;)
        if (order[i] > 0)
            order[--to] = order[i] - 1;
    return names;
}

static int sort(const struct text *t, bool wide);

/* NOLINTNEXTLINE(misc-no-recursion): each time at most half as long */
static int sort_names(const struct text *t, size_t pieces, size_t names)
{
    struct text inner = {t->order + t->n - pieces, pieces, names, t->order, t->order + pieces};
    int32_t *own = NULL;

    if (names == pieces) {
        for (size_t i = 0; i < pieces; i++)
            t->order[((const int32_t *)inner.p)[i]] = (int32_t)i;
        return 0;
    }
    if (t->n - 2 * pieces < names && (inner.buckets = own = malloc(names * sizeof(*own))) == NULL)
        return -ENOMEM;
    int r = sort(&inner, true);
    free(own);
    return r;
}

static HF_ALWAYS_INLINE void place_leading(const struct text *t, bool wide, size_t pieces)
{
    int32_t *order = t->order;

    for (size_t at = t->n, to = t->n; (at = leading_before(t, wide, at)) > 0;)
        order[--to] = (int32_t)at;
    for (size_t i = 0; i < pieces; i++)
        order[i] = order[t->n - pieces + (size_t)order[i]];
    memset(order + pieces, 0, (t->n - pieces) * sizeof(*order));
    find_buckets(t, wide, BEHIND);
    for (size_t i = pieces; i-- > 0;) {
        int32_t at = order[i];
        order[i] = 0;
        order[--t->buckets[letter(t, wide, (size_t)at)]] = at;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): each time at most half as long */
static HF_ALWAYS_INLINE int sort_as(const struct text *t, bool wide)
{
    size_t pieces = sort_pieces(t, wide);

    if (pieces > 0) {
        int r = sort_names(t, pieces, name_pieces(t, wide, pieces));
        if (r < 0)
            return r;
        place_leading(t, wide, pieces);
    }
    induce(t, wide);
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): each time at most half as long */
static int sort(const struct text *t, bool wide)
{
    return wide ? sort_as(t, true) : sort_as(t, false);
}

int delta_suffix_sort(const unsigned char *text, size_t n, int32_t *ret_order)
{
    int32_t buckets[256];
    const struct text t = {text, n, HF_LEN(buckets), ret_order, buckets};

    return n > 0 ? sort(&t, false) : 0;
}
