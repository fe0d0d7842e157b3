/* SPDX-License-Identifier: Apache-2.0 */
/* A window is a ring of fingerprints in order of arrival, and an open-addressed table of positions in the ring: linear
 * probing, at most half full; removal moves the following entries back, so there are no tombstones. Both double
 * together up to `max`. Bit 0 of a fingerprint selects the window.
 *
 * 64-bit SipHash-2-4, its key random at each start: nobody can choose a collision; a new name collides with at most
 * `max` / 2^63. */
#include "telemetry/event/ids.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "telemetry/event/siphash.h"

enum { FIRST_CAP = 256, FREE_PLACE = 0 };

struct window {
    size_t max;
    uint64_t *ring;  /* cap entries; the oldest at `head` */
    uint32_t *table; /* 2 * cap entries: position in the ring + 1; 0: free */
    size_t cap, head, n;
    size_t forgotten; /* entries of the ring that the table does not have */
};

/* The kinds of names have keys of their own, so equal names of two kinds have different fingerprints. */
enum name_kind { NAME_EVENT, NAME_REQUEST, NAME_SINK };

struct hf_ids {
    uint64_t key[2];
    struct window own, posted;
};

/* ---- the window -------------------------------------------------------------------------------------------------- */

struct hf_ids *hf_ids_new(size_t max, const struct hf_rand_ops *rng)
{
    struct hf_ids *ids = calloc(1, sizeof(*ids));

    if (ids == NULL)
        return NULL;
    ids->own.max = ids->posted.max = max > 0 ? max : HF_IDS_MAX;
    ids->key[0] = rng->u64(rng->ctx);
    ids->key[1] = rng->u64(rng->ctx);
    return ids;
}

static void window_done(struct window *window)
{
    free(window->ring);
    free(window->table);
}

void hf_ids_free(struct hf_ids *ids)
{
    if (ids == NULL)
        return;
    window_done(&ids->own);
    window_done(&ids->posted);
    free(ids);
}

/* Hashes each part with a key that the parts before it have changed. */
static uint64_t fingerprint(const struct hf_ids *ids, enum name_kind kind, uint64_t owner, struct hf_view origin,
                            struct hf_view name)
{
    uint64_t key[2] = {ids->key[0] + (uint64_t)kind, ids->key[1]};

    key[1] = hf_siphash(key, &owner, sizeof(owner));
    key[1] = hf_siphash(key, origin.p, origin.n);
    return (hf_siphash(key, name.p, name.n) & ~(uint64_t)1) | (owner != HF_OWNER_AGENT);
}

uint64_t hf_ids_of_event(const struct hf_ids *ids, const struct hf_event *event)
{
    return fingerprint(ids, NAME_EVENT, hf_event_owner(event), event->origin, event->id);
}

uint64_t hf_ids_of_request(const struct hf_ids *ids, uint64_t owner, struct hf_view key)
{
    return fingerprint(ids, NAME_REQUEST, owner, (struct hf_view){"", 0}, key);
}

uint64_t hf_ids_of_sink(const struct hf_ids *ids, struct hf_view name)
{
    return fingerprint(ids, NAME_SINK, HF_OWNER_AGENT, (struct hf_view){"", 0}, name);
}

static struct window *window_of(struct hf_ids *ids, uint64_t print)
{
    return (print & 1) != 0 ? &ids->posted : &ids->own;
}

static size_t home_of(const struct window *window, uint64_t print)
{
    return (size_t)((print >> 1) % (2 * window->cap)); /* bit 0 is the same in the whole window */
}

/* Returns the fingerprint's slot of the table, or the free slot where it belongs. */
static size_t find(const struct window *window, uint64_t print)
{
    size_t i = home_of(window, print);

    while (window->table[i] != FREE_PLACE && window->ring[window->table[i] - 1] != print)
        i = (i + 1) % (2 * window->cap);
    return i;
}

static void table_remove(struct window *window, size_t hole)
{
    size_t size = 2 * window->cap, i = hole;

    window->table[hole] = FREE_PLACE;
    for (;;) {
        i = (i + 1) % size;
        if (window->table[i] == FREE_PLACE)
            return;
        size_t home = home_of(window, window->ring[window->table[i] - 1]);
        /* the entry may move if its home is not between the hole and i */
        bool behind = hole <= i ? home > hole && home <= i : home > hole || home <= i;
        if (!behind) {
            window->table[hole] = window->table[i];
            window->table[i] = FREE_PLACE;
            hole = i;
        }
    }
}

static int grow(struct window *window)
{
    size_t cap = HF_MIN(window->cap == 0 ? (size_t)FIRST_CAP : window->cap * 2, window->max);
    uint64_t *ring = malloc(cap * sizeof(*ring));
    uint32_t *table = calloc(2 * cap, sizeof(*table));

    if (ring == NULL || table == NULL) {
        free(ring);
        free(table);
        return -ENOMEM;
    }
    struct window old = *window;
    window->ring = ring;
    window->table = table;
    window->cap = cap;
    window->head = 0;
    window->n = 0;
    for (size_t i = 0; i < old.n; i++) {
        size_t from = (old.head + i) % old.cap;
        if (old.table[find(&old, old.ring[from])] != from + 1)
            continue; /* removed from the table */
        ring[window->n] = old.ring[from];
        table[find(window, ring[window->n])] = (uint32_t)window->n + 1;
        window->n++;
    }
    window->forgotten = 0;
    free(old.ring);
    free(old.table);
    return 0;
}

static void drop_oldest(struct window *window)
{
    assert(window->cap > 0);
    size_t place = find(window, window->ring[window->head]);

    if (window->table[place] == window->head + 1)
        table_remove(window, place);
    else
        window->forgotten--;
    window->head = (window->head + 1) % window->cap;
    window->n--;
}

bool hf_ids_contains(const struct hf_ids *ids, uint64_t print)
{
    const struct window *window = (print & 1) != 0 ? &ids->posted : &ids->own;

    return window->n > 0 && window->table[find(window, print)] != FREE_PLACE;
}

int hf_ids_add(struct hf_ids *ids, uint64_t print)
{
    struct window *window = window_of(ids, print);

    if (window->n > 0 && window->table[find(window, print)] != FREE_PLACE)
        return 0;
    if (window->n == window->cap && window->cap < window->max) {
        int r = grow(window);
        if (r < 0 && window->cap == 0)
            return r; /* without memory the window stays shorter */
    }
    if (window->n == window->cap)
        drop_oldest(window);
    size_t at = (window->head + window->n) % window->cap;
    window->ring[at] = print;
    window->table[find(window, print)] = (uint32_t)at + 1;
    window->n++;
    return 1;
}

void hf_ids_forget(struct hf_ids *ids, uint64_t print)
{
    struct window *window = window_of(ids, print);

    if (window->n == 0)
        return;
    size_t place = find(window, print);
    if (window->table[place] == FREE_PLACE)
        return;
    table_remove(window, place);
    window->forgotten++;
}

size_t hf_ids_count(const struct hf_ids *ids)
{
    return ids->own.n - ids->own.forgotten + ids->posted.n - ids->posted.forgotten;
}

/* ---- keys of batches --------------------------------------------------------------------------------------------- */

const char *hf_ids_batch_key_format(const char *node, const char *stream, uint64_t first, uint64_t last,
                                    const char *part, char text[HF_BATCH_KEY_TEXT])
{
    (void)snprintf(text, HF_BATCH_KEY_TEXT, "%.253s/%.64s/%" PRIu64 "-%" PRIu64 "%s%s", node, stream, first, last,
                   part != NULL ? "/" : "", part != NULL ? part : "");
    return text;
}
