#include "delta/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    KEY = 8,
    STEP = 2,     /* of every so many positions one is kept: the other matches are found a byte later, and grow back */
    DEPTH = 4,    /* places looked at for one position, half of them behind the expected one */
    ENOUGH = 512, /* a match that long needs no better one */
    AHEAD = 16,
};

size_t delta_common(const unsigned char *a, size_t a_n, const unsigned char *b, size_t b_n)
{
    size_t n = HF_MIN(a_n, b_n), i = 0;

    for (; i + 8 <= n; i += 8) {
        uint64_t x, y;
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y)
            break;
    }
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

static uint32_t hash_of(const unsigned char *p, unsigned bits)
{
    uint64_t key = 0;

    for (unsigned i = 0; i < KEY; i++)
        key |= (uint64_t)p[i] << (8 * i);
    return (uint32_t)(key * 0x9e3779b97f4a7c15u >> (64 - bits));
}

/* The hash of every STEP-th place before `end` in turn; its count is being fetched for a while already: what it costs to index a
 * large file is waiting for memory. */
struct ahead {
    const unsigned char *old;
    size_t next;
    uint32_t hash[AHEAD];
};

static uint32_t look_ahead(struct ahead *a, const struct delta_places *index, size_t last)
{
    size_t slot = a->next / STEP % AHEAD;
    uint32_t now = a->hash[slot];

    if (a->next <= last) {
        a->hash[slot] = hash_of(a->old + a->next, index->bits);
        __builtin_prefetch(&index->start[a->hash[slot]], 1);
    }
    a->next += STEP;
    return now;
}

static void start_ahead(struct ahead *a, const struct delta_places *index, const unsigned char *old, size_t last)
{
    *a = (struct ahead){.old = old};
    for (unsigned i = 0; i < AHEAD; i++)
        (void)look_ahead(a, index, last);
}

/* Counts first, then places. Of a run of one byte only the start is kept. When done, start[h + 1] is where the places of h end. */
static void fill(struct delta_places *index, const unsigned char *old, size_t last)
{
    uint32_t before = UINT32_MAX, h, sum = 0, *start = index->start;
    size_t hashes = (size_t)1 << index->bits;
    struct ahead ahead;

    start_ahead(&ahead, index, old, last);
    for (size_t at = 0; at <= last; at += STEP, before = h)
        if ((h = look_ahead(&ahead, index, last)) != before)
            start[h]++;
    for (size_t i = 0; i < hashes; i++) {
        uint32_t n = start[i];
        start[i] = sum;
        sum += n;
    }
    start_ahead(&ahead, index, old, last);
    before = UINT32_MAX;
    for (size_t at = 0; at <= last; at += STEP, before = h)
        if ((h = look_ahead(&ahead, index, last)) != before)
            index->places[start[h]++] = (uint32_t)at;
    memmove(start + 1, start, hashes * sizeof(*start));
    start[0] = 0;
}

/* Looked into all over: large pages, where the system grants them, save waiting. */
static void *take_memory(size_t n)
{
    const size_t large = 2 << 20;
    void *p = n >= large ? aligned_alloc(large, (n + large - 1) / large * large) : malloc(n);

    if (p != NULL && n >= large)
        (void)madvise(p, n, MADV_HUGEPAGE);
    return p;
}

int delta_places_open(struct delta_places *index, const unsigned char *old, size_t old_n)
{
    index->bits = 10;
    while (index->bits < 26 && (size_t)1 << index->bits < old_n / STEP / 2)
        index->bits++;
    size_t start_bytes = (((size_t)1 << index->bits) + 1) * sizeof(*index->start);
    index->start = take_memory(start_bytes);
    index->places = take_memory((old_n / STEP + 1) * sizeof(*index->places));
    if (index->start == NULL || index->places == NULL) {
        delta_places_done(index);
        return -ENOMEM;
    }
    memset(index->start, 0, start_bytes);
    if (old_n >= KEY)
        fill(index, old, (old_n - KEY) / STEP * STEP);
    return 0;
}

void delta_places_done(struct delta_places *index)
{
    free(index->start);
    free(index->places);
    *index = (struct delta_places){0};
}

/* The places worth a look: DEPTH of those of that hash, around the expected one. */
static const uint32_t *candidates(const struct delta_places *index, uint32_t hash, size_t expected, uint32_t *ret_n)
{
    uint32_t start = index->start[hash], end = index->start[hash + 1], low = start, high = end;

    if (end - start > DEPTH) {
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (index->places[middle] < expected)
                low = middle + 1;
            else
                high = middle;
        }
        low = low - start > DEPTH / 2 ? low - DEPTH / 2 : start;
        start = HF_MIN(low, end - DEPTH);
        end = start + DEPTH;
    }
    *ret_n = end - start;
    return index->places + start;
}

size_t delta_places_longest(const struct delta_places *index, const unsigned char *old, size_t old_n,
                            const unsigned char *key, size_t key_n, size_t expected, size_t *ret_old)
{
    size_t best = KEY - 1, n;
    uint32_t looks;

    if (key_n < KEY)
        return 0;
    if (expected < old_n && (n = delta_common(old + expected, old_n - expected, key, key_n)) > best) {
        best = n;
        *ret_old = expected;
    }
    if (best >= ENOUGH)
        return best;
    if (key_n >= KEY + AHEAD) { /* where the positions to come will be looked up */
        __builtin_prefetch(&index->start[hash_of(key + AHEAD, index->bits)]);
        __builtin_prefetch(&index->places[index->start[hash_of(key + AHEAD / 2, index->bits)]]);
    }
    const uint32_t *place = candidates(index, hash_of(key, index->bits), expected, &looks);
    for (; looks-- > 0 && best < ENOUGH; place++) {
        if (best >= key_n || best >= old_n - *place || old[*place + best] != key[best])
            continue;
        if ((n = delta_common(old + *place, old_n - *place, key, key_n)) > best) {
            best = n;
            *ret_old = *place;
        }
    }
    return best >= KEY ? best : 0;
}
