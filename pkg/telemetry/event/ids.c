/* A ring of fingerprints in order of arrival, and an open-addressed table of positions in the ring: linear probing, at
 * most half full; removal moves the following entries back, so there are no tombstones. Both double together up to
 * `max`. */
#include "telemetry/event/ids.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "telemetry/event/siphash.h"

enum { FIRST_CAP = 256, FREE_PLACE = 0 };

struct hf_ids {
    uint64_t key[2];
    size_t max;
    uint64_t *ring;  /* cap entries; the oldest at `head` */
    uint32_t *table; /* 2 * cap entries: position in the ring + 1; 0: free */
    size_t cap, head, n;
    size_t forgotten; /* entries of the ring that the table does not have */
};

/* ---- the window -------------------------------------------------------------------------------------------------- */

struct hf_ids *hf_ids_new(size_t max, const struct hf_rand_ops *rng)
{
    struct hf_ids *ids = calloc(1, sizeof(*ids));

    if (ids == NULL)
        return NULL;
    ids->max = max > 0 ? max : HF_IDS_MAX;
    ids->key[0] = rng->u64(rng->ctx);
    ids->key[1] = rng->u64(rng->ctx);
    return ids;
}

void hf_ids_free(struct hf_ids *ids)
{
    if (ids == NULL)
        return;
    free(ids->ring);
    free(ids->table);
    free(ids);
}

uint64_t hf_ids_fingerprint(const struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name)
{
    uint64_t key[2] = {ids->key[0] + (uint64_t)kind, ids->key[1]};

    return hf_siphash(key, name.p, name.n);
}

static size_t home_of(const struct hf_ids *ids, uint64_t print)
{
    return (size_t)(print % (2 * ids->cap));
}

/* Returns the fingerprint's slot of the table, or the free slot where it belongs. */
static size_t find(const struct hf_ids *ids, uint64_t print)
{
    size_t i = home_of(ids, print);

    while (ids->table[i] != FREE_PLACE && ids->ring[ids->table[i] - 1] != print)
        i = (i + 1) % (2 * ids->cap);
    return i;
}

static void table_remove(struct hf_ids *ids, size_t hole)
{
    size_t size = 2 * ids->cap, i = hole;

    ids->table[hole] = FREE_PLACE;
    for (;;) {
        i = (i + 1) % size;
        if (ids->table[i] == FREE_PLACE)
            return;
        size_t home = home_of(ids, ids->ring[ids->table[i] - 1]);
        /* the entry may move if its home is not between the hole and i */
        bool behind = hole <= i ? home > hole && home <= i : home > hole || home <= i;
        if (!behind) {
            ids->table[hole] = ids->table[i];
            ids->table[i] = FREE_PLACE;
            hole = i;
        }
    }
}

static int grow(struct hf_ids *ids)
{
    size_t cap = HF_MIN(ids->cap == 0 ? (size_t)FIRST_CAP : ids->cap * 2, ids->max);
    uint64_t *ring = malloc(cap * sizeof(*ring));
    uint32_t *table = calloc(2 * cap, sizeof(*table));

    if (ring == NULL || table == NULL) {
        free(ring);
        free(table);
        return -ENOMEM;
    }
    struct hf_ids old = *ids;
    ids->ring = ring;
    ids->table = table;
    ids->cap = cap;
    ids->head = 0;
    ids->n = 0;
    for (size_t i = 0; i < old.n; i++) {
        size_t from = (old.head + i) % old.cap;
        if (old.table[find(&old, old.ring[from])] != from + 1)
            continue; /* removed from the table */
        ring[ids->n] = old.ring[from];
        table[find(ids, ring[ids->n])] = (uint32_t)ids->n + 1;
        ids->n++;
    }
    ids->forgotten = 0;
    free(old.ring);
    free(old.table);
    return 0;
}

static void drop_oldest(struct hf_ids *ids)
{
    assert(ids->cap > 0);
    size_t place = find(ids, ids->ring[ids->head]);

    if (ids->table[place] == ids->head + 1)
        table_remove(ids, place);
    else
        ids->forgotten--;
    ids->head = (ids->head + 1) % ids->cap;
    ids->n--;
}

bool hf_ids_contains(const struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name)
{
    return hf_ids_contains_fingerprint(ids, hf_ids_fingerprint(ids, kind, name));
}

bool hf_ids_contains_fingerprint(const struct hf_ids *ids, uint64_t fingerprint)
{
    return ids->n > 0 && ids->table[find(ids, fingerprint)] != FREE_PLACE;
}

int hf_ids_add(struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name)
{
    return hf_ids_add_fingerprint(ids, hf_ids_fingerprint(ids, kind, name));
}

int hf_ids_add_fingerprint(struct hf_ids *ids, uint64_t print)
{
    if (ids->n > 0 && ids->table[find(ids, print)] != FREE_PLACE)
        return 0;
    if (ids->n == ids->cap && ids->cap < ids->max) {
        int r = grow(ids);
        if (r < 0 && ids->cap == 0)
            return r; /* without memory the window stays shorter */
    }
    if (ids->n == ids->cap)
        drop_oldest(ids);
    size_t at = (ids->head + ids->n) % ids->cap;
    ids->ring[at] = print;
    ids->table[find(ids, print)] = (uint32_t)at + 1;
    ids->n++;
    return 1;
}

void hf_ids_forget(struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name)
{
    hf_ids_forget_fingerprint(ids, hf_ids_fingerprint(ids, kind, name));
}

void hf_ids_forget_fingerprint(struct hf_ids *ids, uint64_t fingerprint)
{
    if (ids->n == 0)
        return;
    size_t place = find(ids, fingerprint);
    if (ids->table[place] == FREE_PLACE)
        return;
    table_remove(ids, place);
    ids->forgotten++;
}

size_t hf_ids_count(const struct hf_ids *ids)
{
    return ids->n - ids->forgotten;
}

/* ---- keys of batches --------------------------------------------------------------------------------------------- */

const char *hf_ids_batch_key_format(const char *node, const char *stream, uint64_t first, uint64_t last,
                                    const char *part, char text[HF_BATCH_KEY_TEXT])
{
    (void)snprintf(text, HF_BATCH_KEY_TEXT, "%.253s/%.64s/%" PRIu64 "-%" PRIu64 "%s%s", node, stream, first, last,
                   part != NULL ? "/" : "", part != NULL ? part : "");
    return text;
}

static int parse_number(struct hf_view digits, uint64_t *ret)
{
    char text[24];

    if (digits.n == 0 || digits.n >= sizeof(text))
        return -EBADMSG;
    memcpy(text, digits.p, digits.n);
    text[digits.n] = '\0';
    return hf_parse_u64(text, 1, UINT64_MAX, ret) < 0 ? -EBADMSG : 0;
}

int hf_ids_batch_key_parse(struct hf_view text, struct hf_batch_key *ret_key)
{
    struct hf_view rest = text, range, first;
    struct hf_batch_key key = {.part = {"", 0}};

    if (!hf_view_split(&rest, '/', &key.node) || !hf_view_split(&rest, '/', &key.stream) ||
        !hf_view_split(&rest, '/', &range) || !hf_view_split(&range, '-', &first) || range.p == NULL)
        return -EBADMSG;
    if (rest.p != NULL)
        key.part = rest;
    if (key.node.n == 0 || key.stream.n == 0 || parse_number(first, &key.first) < 0 ||
        parse_number(range, &key.last) < 0 || key.first > key.last)
        return -EBADMSG;
    *ret_key = key;
    return 0;
}
