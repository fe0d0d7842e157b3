/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strmap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Returns the index of `key`, or the index at which to insert it. */
static size_t find(const struct hf_strmap *map, const char *key, bool *ret_found)
{
    size_t at = hf_array_lower_bound(i, map->n, strcmp(map->entries[i].key, key) < 0);

    *ret_found = at < map->n && strcmp(map->entries[at].key, key) == 0;
    return at;
}

void hf_strmap_done(struct hf_strmap *map)
{
    for (size_t i = 0; i < map->n; i++) {
        free(map->entries[i].key);
        if (map->free_value != NULL)
            map->free_value(map->entries[i].value);
    }
    free(hf_steal(map->entries));
    map->n = 0;
    map->cap = 0;
}

void *hf_strmap_get(const struct hf_strmap *map, const char *key)
{
    bool found;
    size_t i = find(map, key, &found);

    return found ? map->entries[i].value : NULL;
}

int hf_strmap_put(struct hf_strmap *map, const char *key, void *value)
{
    bool found;
    size_t i = find(map, key, &found);

    if (found) {
        void *old = map->entries[i].value;
        map->entries[i].value = value;
        if (map->free_value != NULL && old != value)
            map->free_value(old);
        return 0;
    }
    if (hf_array_grow(map->entries, map->n, map->cap, HF_ARRAY_ANY) < 0)
        return -ENOMEM;
    char *copy = strdup(key);
    if (copy == NULL)
        return -ENOMEM;
    memmove(map->entries + i + 1, map->entries + i, (map->n - i) * sizeof(*map->entries));
    map->entries[i] = (struct hf_strmap_entry){copy, value};
    map->n++;
    return 0;
}

void *hf_strmap_take(struct hf_strmap *map, const char *key)
{
    bool found;
    size_t i = find(map, key, &found);

    if (!found)
        return NULL;
    void *value = map->entries[i].value;
    free(map->entries[i].key);
    map->n--;
    memmove(map->entries + i, map->entries + i + 1, (map->n - i) * sizeof(*map->entries));
    return value;
}

int hf_strmap_remove(struct hf_strmap *map, const char *key)
{
    bool found;

    (void)find(map, key, &found);
    if (!found)
        return false;
    void *value = hf_strmap_take(map, key);
    if (map->free_value != NULL)
        map->free_value(value);
    return true;
}
