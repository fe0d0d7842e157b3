/* Buckets of a few entries, found by the key's fingerprint; the one written longest ago makes place. Nothing is allocated until the
 * first key comes. */
#include "telemetry/event/newest.h"

#include <stdlib.h>
#include <string.h>

#include "telemetry/event/siphash.h"

enum { WAYS = 4, BUCKETS = HF_NEWEST_MAX / WAYS };

struct entry {
    uint64_t print; /* of the key; 0: free */
    uint64_t unix_ns, sequence, noted;
    uint8_t node_n;
    char node[HF_NEWEST_NODE]; /* cut */
};

struct hf_newest {
    uint64_t key[2];       /* of the fingerprints */
    struct entry *entries; /* BUCKETS x WAYS; NULL: no key yet */
    uint64_t notes;
};

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

/* The key's entry, or NULL; *ret_oldest is the one of its bucket to take otherwise. */
static struct entry *find(const struct hf_newest *newest, uint64_t print, struct entry **ret_oldest)
{
    struct entry *bucket = newest->entries + print % BUCKETS * WAYS;

    *ret_oldest = bucket;
    for (size_t i = 0; i < WAYS; i++) {
        if (bucket[i].print == print)
            return &bucket[i];
        if (bucket[i].noted < (*ret_oldest)->noted)
            *ret_oldest = &bucket[i];
    }
    return NULL;
}

static uint64_t print_of(const struct hf_newest *newest, struct hf_view key)
{
    uint64_t print = hf_siphash(newest->key, key.p, key.n);

    return print != 0 ? print : 1;
}

static struct hf_view cut(struct hf_view node)
{
    return (struct hf_view){node.p, HF_MIN(node.n, (size_t)HF_NEWEST_NODE)};
}

bool hf_newest_superseded(const struct hf_newest *newest, struct hf_view key, const struct hf_state_mark *mark)
{
    struct entry *oldest;

    if (newest->entries == NULL)
        return false;
    const struct entry *known = find(newest, print_of(newest, key), &oldest);
    if (known == NULL)
        return false;
    struct hf_state_mark theirs = {known->unix_ns, {known->node, known->node_n}, known->sequence};
    struct hf_state_mark ours = {mark->unix_ns, cut(mark->node), mark->sequence};
    return hf_state_wins(&theirs, &ours);
}

void hf_newest_note(struct hf_newest *newest, struct hf_view key, const struct hf_state_mark *mark)
{
    struct hf_view node = cut(mark->node);
    struct entry *oldest;

    if (newest->entries == NULL)
        newest->entries = calloc((size_t)BUCKETS * WAYS, sizeof(*newest->entries));
    if (newest->entries == NULL)
        return;
    uint64_t print = print_of(newest, key);
    struct entry *entry = find(newest, print, &oldest);
    if (entry == NULL)
        entry = oldest;
    *entry = (struct entry){.print = print,
                            .unix_ns = mark->unix_ns,
                            .sequence = mark->sequence,
                            .noted = ++newest->notes,
                            .node_n = (uint8_t)node.n};
    if (node.n > 0)
        memcpy(entry->node, node.p, node.n);
}
