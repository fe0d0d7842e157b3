/* SPDX-License-Identifier: Apache-2.0 */
/* Hash table from keys to indexes of the caller's array. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define HF_ID_NONE UINT32_MAX

struct hf_id_table {
    uint32_t *slots; /* index plus 1; 0: empty */
    size_t cap, n;
    uint32_t (*hash_of)(const void *arg, uint32_t id);
    const void *arg;
};

void hf_id_table_done(struct hf_id_table *table);

uint32_t hf_id_table_find(const struct hf_id_table *table, uint32_t hash, bool (*same)(const void *key, uint32_t id),
                          const void *key);

/* Makes room: after 0 the next add cannot fail. */
HF_MUST_USE int hf_id_table_reserve(struct hf_id_table *table);
void hf_id_table_add(struct hf_id_table *table, uint32_t hash, uint32_t id);
void hf_id_table_remove(struct hf_id_table *table, uint32_t hash, uint32_t id);

/* Mixed FNV-1a. Do not hash keys that an attacker chooses: collisions are easy to make. */
uint32_t hf_id_table_hash(const void *bytes, size_t n);
uint64_t hf_id_table_hash64(const void *bytes, size_t n);
