/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets of a few entries, found by the key's fingerprint; a new key replaces the entry of its bucket that was written
 * longest ago. The first key allocates the memory. */
#include "telemetry/event/newest.h"

#include <stdlib.h>
#include <string.h>

#include "telemetry/event/siphash.h"

enum { WAYS = 4, BUCKETS = HF_NEWEST_MAX / WAYS };

struct newest_entry {
    uint64_t print; /* the key's fingerprint; 0: free */
    uint64_t unix_ns, sequence, noted;
    uint8_t node_n;
    char node[HF_NEWEST_NODE]; /* may be cut */
};

struct hf_newest {
    uint64_t key[2];              /* for the fingerprints */
    struct newest_entry *entries; /* BUCKETS x WAYS; NULL: no key yet */
    uint64_t notes;
};

static int compare_views(struct hf_view a, struct hf_view b)
{
    size_t n = HF_MIN(a.n, b.n);
    int r = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return r != 0 ? r : (a.n > b.n) - (a.n < b.n);
}

bool hf_newest_wins(const struct hf_newest_version *a, const struct hf_newest_version *b)
{
    int names = compare_views(a->node, b->node);

    if (names == 0 && a->sequence > 0 && b->sequence > 0)
        return a->sequence > b->sequence;
    if (a->unix_ns != b->unix_ns)
        return a->unix_ns > b->unix_ns;
    return names != 0 ? names > 0 : a->sequence > b->sequence;
}

struct hf_newest *hf_newest_new(const struct hf_rand_ops *rng)
{
    struct hf_newest *newest = calloc(1, sizeof(*newest));

    if (newest == NULL)
        return NULL;
    newest->key[0] = rng->u64(rng->ctx);
    newest->key[1] = rng->u64(rng->ctx);
    return newest;
}

void hf_newest_free(struct hf_newest *newest)
{
    if (newest == NULL)
        return;
    free(newest->entries);
    free(newest);
}

/* Returns the key's entry or NULL; *ret_oldest is the entry of its bucket to replace then. */
static struct newest_entry *find(const struct hf_newest *newest, uint64_t print, struct newest_entry **ret_oldest)
{
    struct newest_entry *bucket = newest->entries + print % BUCKETS * WAYS;

    *ret_oldest = bucket;
    for (size_t i = 0; i < WAYS; i++) {
        if (bucket[i].print == print)
            return &bucket[i];
        if (bucket[i].noted < (*ret_oldest)->noted)
            *ret_oldest = &bucket[i];
    }
    return NULL;
}

static uint64_t print_of(const struct hf_newest *newest, const struct hf_newest_key *key)
{
    const uint64_t of_owner[2] = {newest->key[0], hf_siphash(newest->key, &key->owner, sizeof(key->owner))};
    uint64_t print = hf_siphash(of_owner, key->text.p, key->text.n);

    return print != 0 ? print : 1;
}

static struct hf_view cut(struct hf_view node)
{
    return (struct hf_view){node.p, HF_MIN(node.n, (size_t)HF_NEWEST_NODE)};
}

bool hf_newest_superseded(const struct hf_newest *newest, const struct hf_newest_key *key,
                          const struct hf_newest_version *version)
{
    struct newest_entry *oldest;

    if (newest->entries == NULL)
        return false;
    const struct newest_entry *known = find(newest, print_of(newest, key), &oldest);
    if (known == NULL)
        return false;
    struct hf_newest_version theirs = {known->unix_ns, {known->node, known->node_n}, known->sequence};
    struct hf_newest_version ours = {version->unix_ns, cut(version->node), version->sequence};
    return hf_newest_wins(&theirs, &ours);
}

void hf_newest_note(struct hf_newest *newest, const struct hf_newest_key *key, const struct hf_newest_version *version)
{
    struct hf_view node = cut(version->node);
    struct newest_entry *oldest;

    if (newest->entries == NULL)
        newest->entries = calloc((size_t)BUCKETS * WAYS, sizeof(*newest->entries));
    if (newest->entries == NULL)
        return;
    uint64_t print = print_of(newest, key);
    struct newest_entry *entry = find(newest, print, &oldest);
    if (entry == NULL)
        entry = oldest;
    *entry = (struct newest_entry){.print = print,
                                   .unix_ns = version->unix_ns,
                                   .sequence = version->sequence,
                                   .noted = ++newest->notes,
                                   .node_n = (uint8_t)node.n};
    if (node.n > 0)
        memcpy(entry->node, node.p, node.n);
}

void hf_newest_clear(struct hf_newest *newest)
{
    free(hf_steal(newest->entries));
}
