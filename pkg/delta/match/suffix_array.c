/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/match/suffix_array.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "delta/match/extend.h"
#include "delta/match/suffix_sort.h"

/* The last byte of the old file begins no pair: as a suffix it sorts before those that begin with it, which are the
 * first of their pair. */
static unsigned pair_behind_last(const struct delta_suffix_array *s)
{
    return (unsigned)s->old[s->old_n - 1] << 8;
}

/* Sorting a small file costs less than this table. */
static int note_starts(struct delta_suffix_array *s)
{
    enum { PAIRS = 1 << 16 };
    uint32_t next = 0;

    if (s->old_n < PAIRS)
        return 0;
    s->starts = calloc(PAIRS + 1, sizeof(*s->starts));
    if (s->starts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i + 1 < s->old_n; i++)
        s->starts[(unsigned)s->old[i] << 8 | s->old[i + 1]]++;
    for (unsigned pair = 0; pair <= PAIRS; pair++) {
        uint32_t n = s->starts[pair];
        next += pair == pair_behind_last(s);
        s->starts[pair] = next;
        next += n;
    }
    return 0;
}

/* Finds the suffixes that begin with the same two bytes as `key`; false if the table is missing or there is none. */
static bool look_where(const struct delta_suffix_array *s, const unsigned char *key, size_t key_n, size_t *low,
                       size_t *high)
{
    if (s->starts == NULL || key_n < 2)
        return false;
    unsigned pair = (unsigned)key[0] << 8 | key[1];
    *low = s->starts[pair];
    *high = s->starts[pair + 1] - (pair + 1 == pair_behind_last(s));
    return *low < *high;
}

/* Binary search that skips the bytes in which both ends of the interval agree with the key. */
size_t delta_suffix_array_longest(const struct delta_suffix_array *s, const unsigned char *key, size_t key_n,
                                  size_t *ret_rank)
{
    size_t low = 0, high = s->old_n, low_lcp = 0, high_lcp = 0, best = 0;

    if (look_where(s, key, key_n, &low, &high)) {
        low_lcp = high_lcp = 2;
    } else {
        low = 0;
        high = s->old_n;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2, suffix = (size_t)s->order[middle];
        size_t n = HF_MIN(low_lcp, high_lcp);
        n += delta_common_prefix(s->old + suffix + n, s->old_n - suffix - n, key + n, key_n - n);
        if (n > best) {
            best = n;
            *ret_rank = middle;
        }
        if (n == key_n)
            break;
        if (suffix + n == s->old_n || s->old[suffix + n] < key[n]) {
            low = middle + 1;
            low_lcp = n;
        } else {
            high = middle;
            high_lcp = n;
        }
    }
    return best;
}

int delta_suffix_array_open(struct delta_suffix_array *s, const unsigned char *old, size_t old_n)
{
    *s = (struct delta_suffix_array){.old = old, .old_n = old_n, .order = malloc(old_n * sizeof(*s->order))};
    if (s->order != NULL && delta_suffix_sort(old, old_n, s->order) == 0 && note_starts(s) == 0)
        return 0;
    delta_suffix_array_done(s);
    return -ENOMEM;
}

void delta_suffix_array_done(struct delta_suffix_array *s)
{
    free(s->order);
    free(s->starts);
    *s = (struct delta_suffix_array){0};
}
