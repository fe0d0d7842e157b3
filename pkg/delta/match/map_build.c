/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/match/map_build.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macros.h"

static int longer_first(const void *a, const void *b)
{
    const struct delta_copy *x = *(const struct delta_copy *const *)a, *y = *(const struct delta_copy *const *)b;

    if (x->len != y->len)
        return x->len > y->len ? -1 : 1;
    return x->new_pos < y->new_pos ? -1 : 1;
}

static int by_place(const void *a, const void *b)
{
    const struct delta_copy *x = *(const struct delta_copy *const *)a, *y = *(const struct delta_copy *const *)b;

    return x->new_pos < y->new_pos ? -1 : 1;
}

static int by_source(const void *a, const void *b)
{
    const struct delta_copy *x = *(const struct delta_copy *const *)a, *y = *(const struct delta_copy *const *)b;

    if (x->old_pos != y->old_pos)
        return x->old_pos < y->old_pos ? -1 : 1;
    return longer_first(a, b);
}

/* Drops most copies that lie within the old range of a longer one: lookups prefer the longer one, but look back only
 * DELTA_MAP_LOOK entries and would not reach it. Keeps a few of them. Returns the number of copies that remain. */
static size_t drop_hidden(const struct delta_copy **order, size_t n)
{
    uint64_t end = 0;
    size_t kept = 0, within = 0;

    qsort(order, n, sizeof(*order), by_source);
    for (size_t i = 0; i < n; i++) {
        uint64_t own_end = order[i]->old_pos + order[i]->len;
        within = own_end > end ? 0 : within + 1;
        if (within > DELTA_MAP_LOOK / 2)
            continue;
        end = HF_MAX(end, own_end);
        order[kept++] = order[i];
    }
    return kept;
}

int delta_map_build(const struct delta_copies *copies, size_t most, struct delta_map *map, struct hf_err *err)
{
    const struct delta_copy **order = calloc(copies->n > 0 ? copies->n : 1, sizeof(*order));
    int r = order != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");

    if (r == 0) {
        for (size_t i = 0; i < copies->n; i++)
            order[i] = &copies->p[i];
        size_t n = drop_hidden(order, copies->n);
        qsort(order, n, sizeof(*order), longer_first);
        n = HF_MIN(n, most);
        qsort(order, n, sizeof(*order), by_place);
        r = delta_map_alloc(map, (uint32_t)n, err);
        for (size_t i = 0; r == 0 && i < n; i++)
            map->p[i] = (struct delta_map_entry){(uint32_t)order[i]->new_pos, (uint32_t)order[i]->old_pos,
                                                 (uint32_t)order[i]->len};
    }
    free(order);
    return r;
}
