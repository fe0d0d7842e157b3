/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout/id_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void hf_id_table_done(struct hf_id_table *table)
{
    free(table->slots);
    table->slots = NULL;
    table->cap = table->n = 0;
}

uint32_t hf_id_table_find(const struct hf_id_table *table, uint32_t hash, bool (*same)(const void *key, uint32_t id),
                          const void *key)
{
    if (table->cap == 0)
        return HF_ID_NONE;
    for (size_t i = hash & (table->cap - 1); table->slots[i] != 0; i = (i + 1) & (table->cap - 1))
        if (same(key, table->slots[i] - 1))
            return table->slots[i] - 1;
    return HF_ID_NONE;
}

static void insert(uint32_t *slots, size_t cap, uint32_t hash, uint32_t id)
{
    size_t i = hash & (cap - 1);

    while (slots[i] != 0)
        i = (i + 1) & (cap - 1);
    slots[i] = id + 1;
}

int hf_id_table_reserve(struct hf_id_table *table)
{
    size_t cap = table->cap == 0 ? 16 : table->cap * 2;
    uint32_t *slots;

    if (table->cap != 0 && (table->n + 1) * 8 <= table->cap * 7)
        return 0;
    slots = calloc(cap, sizeof(*slots));
    if (slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < table->cap; i++)
        if (table->slots[i] != 0)
            insert(slots, cap, table->hash_of(table->arg, table->slots[i] - 1), table->slots[i] - 1);
    free(table->slots);
    table->slots = slots;
    table->cap = cap;
    return 0;
}

void hf_id_table_add(struct hf_id_table *table, uint32_t hash, uint32_t id)
{
    assert(table->n < table->cap && id != HF_ID_NONE); /* a free place ends each search */
    insert(table->slots, table->cap, hash, id);
    table->n++;
}

/* Closes the gap that a removal leaves, so that every item stays reachable from its own place. */
static void close_gap(struct hf_id_table *table, size_t gap)
{
    size_t mask = table->cap - 1;

    for (size_t i = (gap + 1) & mask; table->slots[i] != 0; i = (i + 1) & mask) {
        size_t home = table->hash_of(table->arg, table->slots[i] - 1) & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        table->slots[gap] = table->slots[i];
        gap = i;
    }
    table->slots[gap] = 0;
}

void hf_id_table_remove(struct hf_id_table *table, uint32_t hash, uint32_t id)
{
    if (table->cap == 0)
        return;
    for (size_t i = hash & (table->cap - 1); table->slots[i] != 0; i = (i + 1) & (table->cap - 1)) {
        if (table->slots[i] != id + 1)
            continue;
        assert(table->n > 0);
        close_gap(table, i);
        table->n--;
        return;
    }
}

uint64_t hf_id_table_hash64(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t hash = 0xcbf29ce484222325ull;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * 0x100000001b3ull;
    return hash ^ hash >> 29;
}

uint32_t hf_id_table_hash(const void *bytes, size_t n)
{
    uint64_t hash = hf_id_table_hash64(bytes, n);

    return (uint32_t)(hash ^ hash >> 32);
}
