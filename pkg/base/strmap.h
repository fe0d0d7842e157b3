/* SPDX-License-Identifier: Apache-2.0 */
/* Maps strings to pointers, in a sorted array for a few thousand. Copies keys; without `free_value` values are the
 * caller's. Pure. */
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
    void (*free_value)(void *value); /* or NULL */
};

void hf_strmap_done(struct hf_strmap *map);
void *hf_strmap_get(const struct hf_strmap *map, const char *key);

/* Frees the value replaced. -ENOMEM: `value` stays the caller's. */
HF_MUST_USE int hf_strmap_put(struct hf_strmap *map, const char *key, void *value);

/* False: absent. */
int hf_strmap_remove(struct hf_strmap *map, const char *key);

/* NULL: absent; else owned by the caller. */
void *hf_strmap_take(struct hf_strmap *map, const char *key);
