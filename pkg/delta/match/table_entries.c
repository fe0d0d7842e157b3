#include "delta/match/table_entries.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_START = 16 };

int delta_table_entries_add(struct delta_table_entries *items, uint64_t offset, uint32_t size, uint64_t key)
{
    if (items->n == items->cap) {
        size_t cap = items->cap > 0 ? 2 * items->cap : 1024;
        struct delta_table_entry *p = realloc(items->p, cap * sizeof(*p));
        if (p == NULL)
            return -ENOMEM;
        items->p = p;
        items->cap = cap;
    }
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

/* Index in old of the entry with that key, the one nearest behind `expected` where there are several; -1: none. */
static int64_t find(const struct delta_table_entries *sorted, uint64_t key, int64_t expected)
{
    size_t low = 0, high = sorted->n;
    int64_t best = -1;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sorted->p[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    for (unsigned look = 0; look < 64 && low < sorted->n && sorted->p[low].key == key; look++, low++) {
        best = sorted->p[low].index;
        if (best >= expected)
            break;
    }
    return best;
}

/* partner[j]: the old entry the j-th new one is made from, or -1. */
static void pair_up(const struct delta_table_entries *old, const struct delta_table_entries *sorted,
                    const struct delta_table_entries *new_items, int64_t *partner)
{
    int64_t expected = 0;

    for (size_t j = 0; j < new_items->n; j++) {
        partner[j] = find(sorted, new_items->p[j].key, expected);
        if (partner[j] >= 0)
            expected = partner[j] + 1;
    }
    /* A single entry off the line its neighbours agree on is not worth two jumps; one without a partner goes on. */
    for (size_t j = 1; j < new_items->n; j++) {
        int64_t on = partner[j - 1] + 1;
        bool alone = j + 1 < new_items->n && partner[j + 1] == on + 1 && partner[j] != on;
        if (partner[j - 1] >= 0 && (partner[j] < 0 || alone) && (size_t)on < old->n)
            partner[j] = on;
    }
}

int delta_copies_extend(struct delta_copies *copies, uint64_t new_pos, uint64_t old_pos, uint64_t n)
{
    struct delta_copy *last = copies->n > 0 ? &copies->p[copies->n - 1] : NULL;

    if (last != NULL && last->new_pos + last->len == new_pos && last->old_pos + last->len == old_pos) {
        last->len += n;
        return 0;
    }
    return delta_copies_add(copies, (struct delta_copy){new_pos, old_pos, n});
}

/* Of items that are not alike only the start is: in an unwind entry, what it is about. */
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

int delta_copies_replace(struct delta_copies *copies, uint64_t from, uint64_t to, const struct delta_copies *inside)
{
    struct delta_copies out = {0};
    size_t i = 0;
    int r = 0;

    for (; r == 0 && i < copies->n && copies->p[i].new_pos < from; i++) {
        struct delta_copy c = copies->p[i];
        if (c.new_pos + c.len > to) { /* reaches over the table */
            struct delta_copy behind = {to, c.old_pos + (to - c.new_pos), c.new_pos + c.len - to};
            copies->p[i] = behind;
            c.len = from - c.new_pos;
            r = delta_copies_extend(&out, c.new_pos, c.old_pos, c.len);
            break;
        }
        c.len = HF_MIN(c.len, from - c.new_pos);
        r = delta_copies_extend(&out, c.new_pos, c.old_pos, c.len);
    }
    for (size_t k = 0; r == 0 && k < inside->n; k++)
        r = delta_copies_extend(&out, inside->p[k].new_pos, inside->p[k].old_pos, inside->p[k].len);
    for (; r == 0 && i < copies->n; i++) {
        struct delta_copy c = copies->p[i];
        if (c.new_pos + c.len <= to)
            continue;
        if (c.new_pos < to) {
            c.old_pos += to - c.new_pos;
            c.len -= to - c.new_pos;
            c.new_pos = to;
        }
        r = delta_copies_extend(&out, c.new_pos, c.old_pos, c.len);
    }
    if (r == 0) {
        delta_copies_done(copies);
        *copies = out;
    } else {
        delta_copies_done(&out);
    }
    return r;
}
