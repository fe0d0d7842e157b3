/* SPDX-License-Identifier: Apache-2.0 */
/* A lookup tries only the candidates nearest to the expected position, up to a fixed number. The index finds nearly
 * all matches that the suffix array finds, in a fraction of the time. An entry holds further bits of the hash
 * besides the position, so that few lookups read the old file at a false candidate. */
#include "delta/match/hash_index.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "delta/match/extend.h"

enum {
    KEY = 8,
    STEP = 2,     /* index every second position: other matches are found one byte later and extended back */
    DEPTH = 4,    /* candidates for one position, half of them behind the expected one */
    ENOUGH = 512, /* a match of this length ends the search */
    AHEAD = 16,
    BATCH = 64,
};

static uint64_t word_at(const unsigned char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return le64toh(word);
}

/* Hashes KEY bytes. The same on all machines, since it decides which of several candidates wins. */
static uint64_t hash_of(const unsigned char *p)
{
    return word_at(p) * 0x9e3779b97f4a7c15u;
}

static uint32_t slot_of(const struct delta_hash_index *index, uint64_t hash)
{
    return (uint32_t)(hash >> (64 - index->bits));
}

/* Returns the tag: the bits above the position in an entry. */
static uint32_t tag_of(const struct delta_hash_index *index, uint64_t hash)
{
    return (uint32_t)(hash << index->bits >> 32) >> index->place_bits << index->place_bits;
}

static size_t place_of(const struct delta_hash_index *index, uint32_t entry)
{
    return (size_t)(entry & ((UINT32_C(1) << index->place_bits) - 1)) * STEP;
}

/* A batch of positions to index. Waiting for memory dominates the cost of indexing large files, so prefetch for many
 * positions at once. */
struct hash_batch {
    size_t next;
    uint32_t before; /* slot of the position before `next` */
    unsigned n;
    uint64_t hash[BATCH];
    uint32_t place[BATCH];
};

static const struct hash_batch first_batch = {.before = UINT32_MAX};

/* Skips all but the start of a run of one byte. False: no positions remain. */
static bool fill_batch(struct hash_batch *b, const struct delta_hash_index *index, const unsigned char *old,
                       size_t last)
{
    size_t end = b->next + (size_t)BATCH * STEP, at = b->next;

    for (b->n = 0; at < end && at <= last; at += STEP) {
        uint64_t hash = hash_of(old + at);
        uint32_t slot = slot_of(index, hash);
        __builtin_prefetch(&index->start[slot], 1);
        b->hash[b->n] = hash;
        b->place[b->n] = (uint32_t)(at / STEP);
        b->n += slot != b->before;
        b->before = slot;
    }
    bool any = at > b->next;
    b->next = at;
    return any;
}

static void count_places(const struct delta_hash_index index, const unsigned char *old, size_t last)
{
    for (struct hash_batch b = first_batch; fill_batch(&b, &index, old, last);)
        for (unsigned i = 0; i < b.n; i++)
            index.start[slot_of(&index, b.hash[i])]++;
}

static void sum_up(uint32_t *start, size_t slots)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < slots; i++) {
        uint32_t n = start[i];
        start[i] = sum;
        sum += n;
    }
}

static void enter_places(const struct delta_hash_index index, const unsigned char *old, size_t last)
{
    for (struct hash_batch b = first_batch; fill_batch(&b, &index, old, last);)
        for (unsigned i = 0; i < b.n; i++)
            index.places[index.start[slot_of(&index, b.hash[i])]++] = b.place[i] | tag_of(&index, b.hash[i]);
}

/* Sorts positions by hash, in the end with start[h + 1] as the end of the entries of h. */
static void fill(struct delta_hash_index *index, const unsigned char *old, size_t last)
{
    size_t slots = (size_t)1 << index->bits;

    count_places(*index, old, last);
    sum_up(index->start, slots);
    enter_places(*index, old, last);
    memmove(index->start + 1, index->start, slots * sizeof(*index->start));
    index->start[0] = 0;
}

/* Allocates with large pages where the system grants them: lookups are random. */
static void *take_memory(size_t n)
{
    const size_t large = 2 << 20;
    void *p = n >= large ? aligned_alloc(large, (n + large - 1) / large * large) : malloc(n);

    if (p != NULL && n >= large)
        (void)madvise(p, n, MADV_HUGEPAGE);
    return p;
}

int delta_hash_index_open(struct delta_hash_index *index, const unsigned char *old, size_t old_n)
{
    index->bits = 10;
    while (index->bits < 26 && (size_t)1 << index->bits < old_n / STEP / 2)
        index->bits++;
    index->place_bits = 8; /* leaves tags of at most 24 bits, as the hash has no more to offer */
    while (old_n / STEP >> index->place_bits > 0)
        index->place_bits++;
    size_t start_bytes = (((size_t)1 << index->bits) + 1) * sizeof(*index->start);
    index->start = take_memory(start_bytes);
    index->places = take_memory((old_n / STEP + 1 + DEPTH) * sizeof(*index->places));
    if (index->start == NULL || index->places == NULL) {
        delta_hash_index_done(index);
        return -ENOMEM;
    }
    memset(index->start, 0, start_bytes);
    memset(index->places + old_n / STEP + 1, 0, DEPTH * sizeof(*index->places)); /* read by fitting(), then masked */
    if (old_n >= KEY)
        fill(index, old, (old_n - KEY) / STEP * STEP);
    return 0;
}

void delta_hash_index_done(struct delta_hash_index *index)
{
    free(index->start);
    free(index->places);
    *index = (struct delta_hash_index){0};
}

/* Counts the entries of p[0..n), ascending by position, below `limit`. Branch-free: branches here are unpredictable. */
static uint32_t count_below(const struct delta_hash_index *index, const uint32_t *p, uint32_t n, size_t limit)
{
    const uint32_t *from = p;

    for (uint32_t half; n > 1; n -= half) {
        half = n / 2;
        from = place_of(index, from[half - 1]) < limit ? from + half : from;
    }
    return (uint32_t)(from - p) + (n > 0 && place_of(index, *from) < limit);
}

/* Returns the candidates: DEPTH entries of the hash, around the expected position. */
static const uint32_t *candidates(const struct delta_hash_index *index, uint64_t hash, size_t expected, uint32_t *ret_n)
{
    const uint32_t *start = &index->start[slot_of(index, hash)], *entry = index->places + start[0];
    uint32_t n = start[1] - start[0];

    if (n > DEPTH) {
        uint32_t low = count_below(index, entry, n, expected);
        entry += HF_MIN(low > DEPTH / 2 ? low - DEPTH / 2 : 0, n - DEPTH);
        n = DEPTH;
    }
    *ret_n = n;
    return entry;
}

/* Sets a bit for each of the first n of DEPTH entries with this tag. Branch-free: usually no entry fits. */
static unsigned fitting(const struct delta_hash_index *index, const uint32_t *entry, uint32_t n, uint32_t tag)
{
    unsigned fits = 0;

    for (unsigned i = 0; i < DEPTH; i++)
        fits |= (unsigned)((entry[i] ^ tag) >> index->place_bits == 0) << i;
    return fits & ((1U << n) - 1);
}

/* Prefetches for the next positions. */
static void look_forward(const struct delta_hash_index *index, const unsigned char *key)
{
    uint64_t soon = hash_of(key + AHEAD / 2), later = hash_of(key + AHEAD);

    __builtin_prefetch(&index->start[slot_of(index, later)]);
    __builtin_prefetch(&index->places[index->start[slot_of(index, soon)]]);
}

size_t delta_hash_index_longest(const struct delta_hash_index *index, const unsigned char *old, size_t old_n,
                                const unsigned char *key, size_t key_n, size_t expected, size_t *ret_old)
{
    size_t best = KEY - 1, n;
    uint32_t looks;

    if (key_n < KEY)
        return 0;
    if (expected < old_n && (n = delta_common_prefix(old + expected, old_n - expected, key, key_n)) > best) {
        best = n;
        *ret_old = expected;
    }
    if (best >= ENOUGH)
        return best;
    if (key_n >= KEY + AHEAD)
        look_forward(index, key);
    uint64_t hash = hash_of(key);
    const uint32_t *entry = candidates(index, hash, expected, &looks);
    for (unsigned fits = fitting(index, entry, looks, tag_of(index, hash)); fits != 0 && best < ENOUGH;
         fits &= fits - 1) {
        size_t place = place_of(index, entry[__builtin_ctz(fits)]);
        if (best >= key_n || best >= old_n - place || old[place + best] != key[best])
            continue;
        if ((n = delta_common_prefix(old + place, old_n - place, key, key_n)) > best) {
            best = n;
            *ret_old = place;
        }
    }
    return best >= KEY ? best : 0;
}
