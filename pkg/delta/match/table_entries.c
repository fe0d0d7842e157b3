/* SPDX-License-Identifier: Apache-2.0 */
/* The partner of a new entry has the same key. If several old entries have this key, the first 64 of them are looked
 * at: the first that comes after the partner of the previous new entry is taken, or else the last. In two cases, the
 * partner is instead the old entry that comes next after the partner of the previous new entry: if no old entry has
 * the same key, or if exactly one old entry lies between the partners of the new entry's two neighbours. */
#include "delta/match/table_entries.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { ITEM_START = 16 };

int delta_table_entries_add(struct delta_table_entries *items, uint64_t offset, uint32_t size, uint64_t key)
{
    if (hf_array_grow(items->p, items->n, items->cap, HF_ARRAY_ANY) < 0)
        return -ENOMEM;
    items->p[items->n] = (struct delta_table_entry){offset, key, size, (uint32_t)items->n};
    items->n++;
    return 0;
}

void delta_table_entries_done(struct delta_table_entries *items)
{
    free(items->p);
    *items = (struct delta_table_entries){0};
}

static int by_key(const void *a, const void *b)
{
    const struct delta_table_entry *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* Returns the index in `old` of the entry with this key; of several the one nearest behind `expected`. -1: none. */
static int64_t find(const struct delta_table_entries *sorted, uint64_t key, int64_t expected)
{
    size_t at = hf_array_lower_bound(i, sorted->n, sorted->p[i].key < key);
    int64_t best = -1;

    for (unsigned look = 0; look < 64 && at < sorted->n && sorted->p[at].key == key; look++, at++) {
        best = sorted->p[at].index;
        if (best >= expected)
            break;
    }
    return best;
}

/* Sets partner[j] to the old entry from which the j-th new one is copied, or -1. */
static void pair_up(const struct delta_table_entries *old, const struct delta_table_entries *sorted,
                    const struct delta_table_entries *new_items, int64_t *partner)
{
    int64_t expected = 0;

    for (size_t j = 0; j < new_items->n; j++) {
        partner[j] = find(sorted, new_items->p[j].key, expected);
        if (partner[j] >= 0)
            expected = partner[j] + 1;
    }
    /* A single entry off the line of its neighbours does not pay for two jumps; one without a partner continues the
     * line. */
    for (size_t j = 1; j < new_items->n; j++) {
        int64_t on = partner[j - 1] + 1;
        bool alone = j + 1 < new_items->n && partner[j + 1] == on + 1 && partner[j] != on;
        if (partner[j - 1] >= 0 && (partner[j] < 0 || alone) && (size_t)on < old->n)
            partner[j] = on;
    }
}

/* Returns the number of bytes to copy. Entries of different size share only their start, which in an unwind entry
 * names the function. */
static uint64_t shared(const struct delta_table_entry *old, const struct delta_table_entry *now)
{
    return old->size == now->size ? now->size : HF_MIN(HF_MIN(old->size, now->size), (uint32_t)ITEM_START);
}

int delta_table_entries_match(const struct delta_table_entries *old, const struct delta_table_entries *new_items,
                              struct delta_copies *out)
{
    struct delta_table_entries sorted = {malloc(old->n * sizeof(struct delta_table_entry) + 1), old->n, old->n};
    int64_t *partner = malloc(new_items->n * sizeof(*partner) + 1);
    int r = sorted.p != NULL && partner != NULL ? 0 : -ENOMEM;

    if (r == 0) {
        memcpy(sorted.p, old->p, old->n * sizeof(struct delta_table_entry));
        qsort(sorted.p, sorted.n, sizeof(struct delta_table_entry), by_key);
        pair_up(old, &sorted, new_items, partner);
        for (size_t j = 0; r == 0 && j < new_items->n; j++)
            if (partner[j] >= 0)
                r = delta_copies_extend(out, new_items->p[j].offset, old->p[partner[j]].offset,
                                        shared(&old->p[partner[j]], &new_items->p[j]));
    }
    free(sorted.p);
    free(partner);
    return r;
}
