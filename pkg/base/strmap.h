/* SPDX-License-Identifier: Apache-2.0 */
/* Maps strings to pointers, for up to a few thousand. Copies keys; owns values only with `free_value`. Pure. */
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
    void (*free_value)(void *value);
};

void hf_strmap_done(struct hf_strmap *map);
void *hf_strmap_get(const struct hf_strmap *map, const char *key);

/* Frees a replaced value. -ENOMEM: `value` stays the caller's. */
HF_MUST_USE int hf_strmap_put(struct hf_strmap *map, const char *key, void *value);

int hf_strmap_remove(struct hf_strmap *map, const char *key);

/* Removes a key; the caller owns the returned value. NULL: absent. */
void *hf_strmap_take(struct hf_strmap *map, const char *key);
