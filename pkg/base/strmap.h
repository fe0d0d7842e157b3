/* base/strmap.h - a map from strings to pointers, ordered by key, for tens to a few thousand entries.
 *
 * A sorted array: look-up is a binary search, iteration is in key order (so that everything derived from it is
 * deterministic). Keys are copied; values are the caller's, freed by `free_value` when one is given. */
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

void hf_strmap_done(struct hf_strmap *map); /* frees keys, values, array; the map can be used again */
void *hf_strmap_get(const struct hf_strmap *map, const char *key); /* NULL when absent */

/* Insert or replace (the old value is freed). 0 or -ENOMEM (the value stays the caller's). */
HF_MUST_USE int hf_strmap_put(struct hf_strmap *map, const char *key, void *value);

/* Remove, freeing key and value; false when absent. */
int hf_strmap_remove(struct hf_strmap *map, const char *key);

/* Take the value out, freeing only the key; NULL when absent. */
void *hf_strmap_take(struct hf_strmap *map, const char *key);
