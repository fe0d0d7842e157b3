/* SPDX-License-Identifier: Apache-2.0 */
/* Each entry of a node's updates is two runs of steps: of the version before, up to the last change of its phase, and
 * of the installed one from then on. The steps begin shortly before the first change that a node tells of. */
#include "cli/ui/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LAST = HF_UI_PAST_STEPS - 1, LEAST_SPAN_S = 3600, MAX_SPAN_S = HF_UI_PAST_DAYS * 86400 };

struct series {
    int64_t n[HF_UI_PAST_STEPS];
    int64_t peak;
};

struct ran {
    struct hf_strmap versions; /* to struct series */
    int64_t nodes;
};

struct past {
    struct hf_strmap releases; /* to struct ran */
    int64_t begin, span;
    int r;
};

static void free_ran(void *value)
{
    struct ran *ran = value;

    hf_strmap_done(&ran->versions);
    free(ran);
}

/* When the node began to run what it runs, as far as it tells. */
static int64_t since_of(const json_t *node, const json_t *update)
{
    int64_t at = hf_json_int_or(update, "t", 0);

    return at > 0 ? at : hf_json_int_or(node, "seen", 0);
}

static bool is_installed(const json_t *update)
{
    return strcmp(hf_json_str_or(update, "v", ""), hf_json_str_or(update, "i", "")) == 0;
}

static void choose_span(struct past *past, const struct hf_ui_model *model, int64_t now)
{
    int64_t first = now - LEAST_SPAN_S;

    for (size_t i = 0; i < model->nodes.n; i++) {
        const json_t *node = model->nodes.entries[i].value, *updates = hf_json_at(node, "updates");
        for (size_t k = 0; k < json_array_size(updates); k++)
            if (is_installed(json_array_get(updates, k)))
                first = HF_MIN(first, since_of(node, json_array_get(updates, k)));
    }
    past->span = HF_MIN((now - first) / 20 * 21, (int64_t)MAX_SPAN_S);
    past->begin = now - past->span;
}

static void *entry_of(struct past *past, struct hf_strmap *map, const char *key, size_t size)
{
    void *value = hf_strmap_get(map, key);

    if (value == NULL) {
        value = calloc(1, size);
        if (value != NULL && hf_strmap_put(map, key, value) == 0)
            return value;
        free(value);
        past->r = -ENOMEM;
        return NULL;
    }
    return value;
}

static void count(struct past *past, struct ran *ran, const char *version, int64_t from, int64_t end)
{
    struct series *series = from < end ? entry_of(past, &ran->versions, version, sizeof(*series)) : NULL;

    for (int64_t i = from; series != NULL && i < end; i++) {
        series->n[i]++;
        series->peak = HF_MAX(series->peak, series->n[i]);
    }
}

static void take_one(struct past *past, const json_t *node, const json_t *update)
{
    struct ran *ran = entry_of(past, &past->releases, hf_json_str_or(update, "r", ""), sizeof(struct ran));
    int64_t after = since_of(node, update) - past->begin;
    int64_t step = after <= 0 ? 0 : HF_MIN((after * LAST + past->span - 1) / past->span, (int64_t)LAST);

    if (ran == NULL)
        return;
    ran->versions.free_value = free;
    ran->nodes++;
    count(past, ran, is_installed(update) ? hf_json_str_or(update, "f", "") : "", 0, step);
    count(past, ran, hf_json_str_or(update, "i", ""), step, HF_UI_PAST_STEPS);
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

static int by_nodes(const void *a, const void *b)
{
    const struct ran *x = ((const struct hf_strmap_entry *)a)->value, *y = ((const struct hf_strmap_entry *)b)->value;

    return x->nodes > y->nodes ? -1 : x->nodes < y->nodes;
}

static int by_peak(const void *a, const void *b)
{
    const struct series *x = ((const struct hf_strmap_entry *)a)->value,
                        *y = ((const struct hf_strmap_entry *)b)->value;

    if (x->n[LAST] != y->n[LAST])
        return x->n[LAST] > y->n[LAST] ? -1 : 1;
    return x->peak > y->peak ? -1 : x->peak < y->peak;
}

static json_t *tell_ran(struct hf_strmap_entry *entry)
{
    struct ran *ran = entry->value;
    json_t *versions = json_array();

    qsort(ran->versions.entries, ran->versions.n, sizeof(*entry), by_peak);
    for (size_t i = 0; i < HF_MIN(ran->versions.n, (size_t)HF_UI_PAST_VERSIONS); i++) {
        const struct series *series = ran->versions.entries[i].value;
        json_t *n = json_array();
        for (size_t k = 0; k < HF_UI_PAST_STEPS; k++)
            (void)json_array_append_new(n, json_integer(series->n[k]));
        (void)json_array_append_new(versions, json_pack("{s:s, s:o}", "version", ran->versions.entries[i].key, "n", n));
    }
    return json_pack("{s:s, s:I, s:o}", "release", entry->key, "nodes", (json_int_t)ran->nodes, "versions", versions);
}

static json_t *tell(struct past *past)
{
    json_t *ages = json_array(), *releases = json_array();

    if (past->releases.n > 0)
        qsort(past->releases.entries, past->releases.n, sizeof(past->releases.entries[0]), by_nodes);
    for (int64_t i = 0; i <= LAST; i++)
        (void)json_array_append_new(ages, json_integer(past->span - past->span * i / LAST));
    for (size_t i = 0; i < HF_MIN(past->releases.n, (size_t)HF_UI_PAST_RELEASES); i++)
        (void)json_array_append_new(releases, tell_ran(&past->releases.entries[i]));
    return json_pack("{s:o, s:o}", "ages", ages, "releases", releases);
}

json_t *hf_ui_model_past(const struct hf_ui_model *model, int64_t now_unix_s)
{
    struct past past = {.releases = {.free_value = free_ran}};

    choose_span(&past, model, now_unix_s);
    for (size_t i = 0; i < model->nodes.n; i++) {
        const json_t *node = model->nodes.entries[i].value, *updates = hf_json_at(node, "updates");
        for (size_t k = 0; k < json_array_size(updates); k++)
            take_one(&past, node, json_array_get(updates, k));
    }
    json_t *json = past.r == 0 ? tell(&past) : NULL;
    hf_strmap_done(&past.releases);
    return json;
}
