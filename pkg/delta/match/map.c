/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/match/map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* One cached answer, the same for all old positions in [from, to). References lead to few places, again and again. */
struct delta_map_answer {
    uint64_t from, to;
    int64_t shift;
    enum delta_map_found found;
};

enum { ANSWERS = 256, ANSWER_BITS = 10 };

void delta_map_done(struct delta_map *map)
{
    free(map->answers);
    free(map->p);
    free(map->by_old);
    *map = (struct delta_map){0};
}

int delta_map_alloc(struct delta_map *map, uint32_t n, struct hf_err *err)
{
    *map = (struct delta_map){.n = n};
    map->p = calloc(n > 0 ? n : 1, sizeof(*map->p));
    map->by_old = calloc(n > 0 ? n : 1, sizeof(*map->by_old));
    map->answers = calloc(ANSWERS, sizeof(*map->answers));
    if (map->p == NULL || map->by_old == NULL || map->answers == NULL) {
        delta_map_done(map);
        return hf_err_set(err, ENOMEM, "not enough memory for the match map");
    }
    return 0;
}

int delta_map_view(const struct delta_map *map, struct delta_map *view, struct hf_err *err)
{
    *view = *map;
    view->answers = calloc(ANSWERS, sizeof(*view->answers));
    return view->answers != NULL ? 0 : hf_err_set(err, ENOMEM, "not enough memory for the match map");
}

void delta_map_view_done(struct delta_map *view)
{
    free(view->answers);
    *view = (struct delta_map){0};
}

static bool before(const struct delta_map *map, uint16_t a, uint16_t b)
{
    return map->p[a].old_pos != map->p[b].old_pos ? map->p[a].old_pos < map->p[b].old_pos : a < b;
}

static void sift(struct delta_map *map, uint32_t at, uint32_t n)
{
    uint16_t moving = map->by_old[at];

    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(map, map->by_old[child], map->by_old[child + 1]))
            child++;
        if (!before(map, moving, map->by_old[child]))
            break;
        map->by_old[at] = map->by_old[child];
    }
    map->by_old[at] = moving;
}

/* Heap sort: in place, and without a bad case. */
void delta_map_sort(struct delta_map *map)
{
    memset(map->answers, 0, ANSWERS * sizeof(*map->answers));
    for (uint32_t i = 0; i < map->n; i++)
        map->by_old[i] = (uint16_t)i;
    for (uint32_t i = map->n / 2; i-- > 0;)
        sift(map, i, map->n);
    for (uint32_t n = map->n; n-- > 1;) {
        uint16_t last = map->by_old[n];
        map->by_old[n] = map->by_old[0];
        map->by_old[0] = last;
        sift(map, 0, n);
    }
}

const struct delta_map_entry *delta_map_at(const struct delta_map *map, uint64_t new_pos)
{
    return map->p + hf_array_lower_bound(i, map->n, (uint64_t)map->p[i].new_pos + map->p[i].len <= new_pos);
}

static void look_up(const struct delta_map *map, uint64_t old_pos, struct delta_map_answer *answer)
{
    size_t low = hf_array_lower_bound(i, map->n, map->p[map->by_old[i]].old_pos <= old_pos);
    uint32_t best_len = 0;
    uint64_t last_end = 0;

    *answer = (struct delta_map_answer){.from = low > 0 ? map->p[map->by_old[low - 1]].old_pos : 0,
                                        .to = low < map->n ? map->p[map->by_old[low]].old_pos : UINT64_MAX};
    for (uint32_t look = 0; look < DELTA_MAP_LOOK && low > 0; look++) {
        const struct delta_map_entry *e = &map->p[map->by_old[--low]];
        uint64_t end = (uint64_t)e->old_pos + e->len;
        bool covers = end > old_pos;
        if (covers)
            answer->to = HF_MIN(answer->to, end);
        else
            answer->from = HF_MAX(answer->from, end);
        if (covers ? e->len > best_len : answer->found != DELTA_MAP_COVERED && end > last_end) {
            answer->found = covers ? DELTA_MAP_COVERED : DELTA_MAP_BEFORE;
            answer->shift = (int64_t)e->new_pos - (int64_t)e->old_pos;
            best_len = covers ? e->len : best_len;
            last_end = end;
        }
    }
}

enum delta_map_found delta_map_shift(const struct delta_map *map, uint64_t old_pos, int64_t *ret_shift)
{
    struct delta_map_answer *answer = &map->answers[old_pos >> ANSWER_BITS & (ANSWERS - 1)];

    if (map->n == 0)
        return DELTA_MAP_NONE;
    if (old_pos < answer->from || old_pos >= answer->to)
        look_up(map, old_pos, answer);
    if (answer->found != DELTA_MAP_NONE)
        *ret_shift = answer->shift;
    return answer->found;
}
