/* base/strmap.h - a map from strings to pointers, ordered by key, for tens to a few thousand entries.
 *
 * A sorted array: look-up is a binary search, iteration is in key order, so everything derived from it is
 * deterministic. The map copies keys; it frees values with `free_value`, if set, and otherwise they stay the
 * caller's. Threads: any, one at a time for one map. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

struct hf_strmap_entry {
    char *key;
    void *value;
};

struct hf_strmap {
    struct hf_strmap_entry *entries;
    size_t n;
    size_t cap;
    void (*free_value)(void *value); /* may be NULL */
};

void hf_strmap_done(struct hf_strmap *map); /* frees keys, values and array; the map can be used again */
void *hf_strmap_get(const struct hf_strmap *map, const char *key); /* NULL if absent */

/* Inserts or replaces (and frees the old value). 0 or -ENOMEM; on failure the value stays the caller's. */
HF_MUST_USE int hf_strmap_put(struct hf_strmap *map, const char *key, void *value);

/* Removes and frees key and value; false if absent. */
int hf_strmap_remove(struct hf_strmap *map, const char *key);

/* Transfers the value to the caller and frees the key; NULL if absent. */
void *hf_strmap_take(struct hf_strmap *map, const char *key);
