/* SPDX-License-Identifier: Apache-2.0 */
/* base/strmap.h - a map from strings to pointers, ordered by key. Suitable for up to a few thousand entries.
 *
 * The map is a sorted array: look-up is a binary search, and iteration is in the order of keys. The map copies keys. It
 * frees values with `free_value`; if `free_value` is NULL, the caller owns the values. Threads: any, one at a time for
 * one map. */
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
    void (*free_value)(void *value); /* frees a value; NULL means that the caller owns the values */
};

/* Frees the array, the keys and, with `free_value`, the values. The caller can then use the map again. */
void hf_strmap_done(struct hf_strmap *map);
/* Returns the value of `key`, or NULL if `key` is absent. */
void *hf_strmap_get(const struct hf_strmap *map, const char *key);

/* Inserts `value`. If `key` has a value already, replaces this old value and frees it with `free_value`. Returns 0 or
 * -ENOMEM; on failure the caller still owns `value`. */
HF_MUST_USE int hf_strmap_put(struct hf_strmap *map, const char *key, void *value);

/* Removes the entry of `key`, and frees the entry's key and, with `free_value`, its value. Returns true, or false if
 * `key` is absent. */
int hf_strmap_remove(struct hf_strmap *map, const char *key);

/* Removes the entry of `key`, frees the entry's key and gives the value to the caller. Returns NULL if `key` is
 * absent. */
void *hf_strmap_take(struct hf_strmap *map, const char *key);
