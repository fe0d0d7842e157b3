/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/id_table.h - a hash table of numbers. The caller keeps the items in an array of its own, and the table maps
 * the hash of an item's key to the item's index. The table uses linear probing, is at most seven eighths full, and
 * needs no tombstones. Pure. Threads: any, one at a time for one table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define HF_ID_NONE UINT32_MAX

struct hf_id_table {
    uint32_t *slots; /* index of an item plus 1; 0 marks an empty slot */
    size_t cap, n;
    uint32_t (*hash_of)(const void *arg, uint32_t id); /* hash of the key of a stored item */
    const void *arg;
};

void hf_id_table_done(struct hf_id_table *table);

/* Returns the index of the item with this hash for which `same` returns true, or HF_ID_NONE. */
uint32_t hf_id_table_find(const struct hf_id_table *table, uint32_t hash, bool (*same)(const void *key, uint32_t id),
                          const void *key);

/* Makes sure that the table has a free slot for one more item. Returns 0 or -ENOMEM; after 0, the next
 * hf_id_table_add() cannot fail. */
HF_MUST_USE int hf_id_table_reserve(struct hf_id_table *table);
void hf_id_table_add(struct hf_id_table *table, uint32_t hash, uint32_t id);
void hf_id_table_remove(struct hf_id_table *table, uint32_t hash, uint32_t id);

/* Returns the hash of n bytes (FNV-1a, folded to 32 bits). Collisions are easy to construct, so do not use this hash
 * for keys that an attacker chooses. */
uint32_t hf_id_table_hash(const void *bytes, size_t n);
uint64_t hf_id_table_hash64(const void *bytes, size_t n);
