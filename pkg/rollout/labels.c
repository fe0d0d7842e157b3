/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of all nodes in little memory: a label is stored once, a set of labels once, and a node has the number
 * of its set.
 *
 * Most nodes of a fleet share most labels. A label whose value is the node's own name (kubernetes.io/hostname) is
 * stored as OWN_NAME, because otherwise no two nodes would share a set. A set is the sorted numbers of its labels,
 * each as the difference to the one before, in one to five bytes. Labels and sets are counted, and freed with the
 * last reference.
 *
 * A selector is prepared once (hf_label_match_init()) and then tested against each set. */
#include "rollout/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HF_LABELS_MAX = 256 }; /* for one node; more are ignored */

#define OWN_NAME "\1"
enum { MAX_ID_BYTES = 5 };

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static uint32_t hash_of_label(const void *arg, uint32_t id)
{
    const struct hf_label_pool *pool = arg;

    return hf_id_table_hash(pool->labels[id].text, strlen(pool->labels[id].text));
}

struct label_key {
    const struct hf_label_pool *pool;
    const char *text;
};

static bool same_label(const void *arg, uint32_t id)
{
    const struct label_key *key = arg;

    return strcmp(key->pool->labels[id].text, key->text) == 0;
}

static uint32_t new_label(struct hf_label_pool *pool)
{
    uint32_t id = pool->free_label;

    if (id != HF_ID_NONE) {
        pool->free_label = pool->labels[id].refs;
        return id;
    }
    if (hf_slab_grow(pool->labels, pool->n_labels, pool->cap_labels) < 0)
        return HF_ID_NONE;
    return (uint32_t)pool->n_labels++;
}

static void free_label(struct hf_label_pool *pool, uint32_t id)
{
    pool->labels[id] = (struct hf_label){.refs = pool->free_label};
    pool->free_label = id;
}

static void drop_label(struct hf_label_pool *pool, uint32_t id)
{
    struct hf_label *label = &pool->labels[id];

    if (--label->refs > 0)
        return;
    hf_id_table_remove(&pool->label_table, hash_of_label(pool, id), id);
    pool->bytes -= strlen(label->text) + 1;
    hf_slab_give(&pool->slab, label->text, strlen(label->text) + 1);
    free_label(pool, id);
}

/* Returns the number of the label with one more reference, or HF_ID_NONE without memory. */
static uint32_t take_label(struct hf_label_pool *pool, const char *key, const char *value)
{
    size_t n_key = strlen(key), n_value = strlen(value);
    size_t n_text = n_key + n_value + 2;
    char *text = hf_slab_take(&pool->slab, n_text);
    uint32_t id;

    if (text == NULL)
        return HF_ID_NONE;
    memcpy(text, key, n_key);
    text[n_key] = '=';
    memcpy(text + n_key + 1, value, n_value + 1);
    uint32_t hash = hf_id_table_hash(text, n_key + n_value + 1);
    id = hf_id_table_find(&pool->label_table, hash, same_label, &(struct label_key){pool, text});
    if (id != HF_ID_NONE) {
        hf_slab_give(&pool->slab, text, n_text);
        pool->labels[id].refs++;
        return id;
    }
    if (hf_id_table_reserve(&pool->label_table) < 0 || (id = new_label(pool)) == HF_ID_NONE) {
        hf_slab_give(&pool->slab, text, n_text);
        return HF_ID_NONE;
    }
    pool->labels[id] = (struct hf_label){text, 1};
    pool->bytes += n_text;
    hf_id_table_add(&pool->label_table, hash, id);
    return id;
}

/* ---- sets -------------------------------------------------------------------------------------------------------- */

static size_t put_number(unsigned char *out, uint32_t number)
{
    size_t n = 0;

    for (; number >= 0x80; number >>= 7)
        out[n++] = (unsigned char)(number | 0x80);
    out[n++] = (unsigned char)number;
    return n;
}

static uint32_t take_number(const unsigned char **at)
{
    uint32_t number = 0;

    for (unsigned shift = 0;; shift += 7) {
        unsigned char byte = *(*at)++;
        number |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
}

static size_t decode_set(const struct hf_label_set *set, uint32_t ids[HF_LABELS_MAX])
{
    const unsigned char *at = set->ids;
    uint32_t n, id = 0;

    if (set->n_bytes == 0)
        return 0;
    n = take_number(&at);
    for (uint32_t i = 0; i < n; i++)
        ids[i] = id += take_number(&at);
    return n;
}

static uint32_t hash_of_set(const void *arg, uint32_t id)
{
    const struct hf_label_pool *pool = arg;

    return hf_id_table_hash(pool->sets[id].ids, pool->sets[id].n_bytes);
}

struct set_key {
    const struct hf_label_pool *pool;
    const unsigned char *ids;
    uint32_t n;
};

static bool same_set(const void *arg, uint32_t id)
{
    const struct set_key *key = arg;
    const struct hf_label_set *set = &key->pool->sets[id];

    return set->n_bytes == key->n && memcmp(set->ids, key->ids, key->n) == 0;
}

static uint32_t new_set(struct hf_label_pool *pool)
{
    uint32_t id = pool->free_set;

    if (id != HF_ID_NONE) {
        pool->free_set = pool->sets[id].refs;
        return id;
    }
    if (hf_slab_grow(pool->sets, pool->n_sets, pool->cap_sets) < 0)
        return HF_ID_NONE;
    return (uint32_t)pool->n_sets++;
}

int hf_label_pool_init(struct hf_label_pool *pool)
{
    *pool = (struct hf_label_pool){.free_label = HF_ID_NONE, .free_set = HF_ID_NONE};
    pool->label_table = (struct hf_id_table){.hash_of = hash_of_label, .arg = pool};
    pool->set_table = (struct hf_id_table){.hash_of = hash_of_set, .arg = pool};
    if (new_set(pool) == HF_ID_NONE)
        return -ENOMEM;
    pool->sets[0] = (struct hf_label_set){.refs = 1};
    return 0;
}

void hf_label_pool_done(struct hf_label_pool *pool)
{
    /* Only pieces that are too large for a block have to be given back one by one. */
    for (size_t i = 0; i < pool->n_labels; i++)
        if (pool->labels[i].text != NULL)
            hf_slab_give(&pool->slab, pool->labels[i].text, strlen(pool->labels[i].text) + 1);
    for (size_t i = 0; i < pool->n_sets; i++)
        if (pool->sets[i].ids != NULL)
            hf_slab_give(&pool->slab, pool->sets[i].ids, pool->sets[i].n_bytes);
    hf_slab_done(&pool->slab);
    free(pool->labels);
    free(pool->sets);
    hf_id_table_done(&pool->label_table);
    hf_id_table_done(&pool->set_table);
    *pool = (struct hf_label_pool){0};
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Takes over the references of the labels if the result is 0. */
static int take_set(struct hf_label_pool *pool, uint32_t ids[HF_LABELS_MAX], size_t n, uint32_t *ret_set)
{
    unsigned char bytes[(HF_LABELS_MAX + 1) * MAX_ID_BYTES], *copy;
    size_t used = put_number(bytes, (uint32_t)n);
    uint32_t id;

    qsort(ids, n, sizeof(*ids), by_number);
    for (size_t i = 0; i < n; i++)
        used += put_number(bytes + used, i == 0 ? ids[0] : ids[i] - ids[i - 1]);
    uint32_t hash = hf_id_table_hash(bytes, used);
    id = hf_id_table_find(&pool->set_table, hash, same_set, &(struct set_key){pool, bytes, (uint32_t)used});
    if (id != HF_ID_NONE) {
        pool->sets[id].refs++;
        for (size_t i = 0; i < n; i++)
            drop_label(pool, ids[i]); /* the set has a reference of its own */
        *ret_set = id;
        return 0;
    }
    copy = hf_slab_take(&pool->slab, used);
    if (copy == NULL || hf_id_table_reserve(&pool->set_table) < 0 || (id = new_set(pool)) == HF_ID_NONE) {
        hf_slab_give(&pool->slab, copy, used);
        return -ENOMEM;
    }
    memcpy(copy, bytes, used);
    pool->sets[id] = (struct hf_label_set){copy, (uint32_t)used, 1};
    pool->bytes += used;
    hf_id_table_add(&pool->set_table, hash, id);
    *ret_set = id;
    return 0;
}

int hf_label_pool_take(struct hf_label_pool *pool, const json_t *labels, const char *node_name, uint32_t *ret_set)
{
    uint32_t ids[HF_LABELS_MAX];
    size_t n = 0;
    const char *key;
    json_t *value;
    int r = 0;

    json_object_foreach(hf_json_mutable(labels), key, value) {
        const char *text = json_string_value(value);
        if (text == NULL || n == HF_LABELS_MAX)
            continue;
        ids[n] = take_label(pool, key, strcmp(text, node_name) == 0 ? OWN_NAME : text);
        if (ids[n] == HF_ID_NONE) {
            r = -ENOMEM;
            break;
        }
        n++;
    }
    if (n == 0 && r == 0) {
        pool->sets[0].refs++;
        *ret_set = 0;
        return 0;
    }
    if (r == 0)
        r = take_set(pool, ids, n, ret_set);
    for (size_t i = 0; i < n && r < 0; i++)
        drop_label(pool, ids[i]);
    return r;
}

void hf_label_pool_release(struct hf_label_pool *pool, uint32_t id)
{
    struct hf_label_set *set = &pool->sets[id];
    uint32_t ids[HF_LABELS_MAX];

    if (--set->refs > 0)
        return;
    size_t n = decode_set(set, ids);
    hf_id_table_remove(&pool->set_table, hash_of_set(pool, id), id);
    for (size_t i = 0; i < n; i++)
        drop_label(pool, ids[i]);
    pool->bytes -= set->n_bytes;
    hf_slab_give(&pool->slab, set->ids, set->n_bytes);
    *set = (struct hf_label_set){.refs = pool->free_set};
    pool->free_set = id;
}

const char *hf_label_pool_value(const struct hf_label_pool *pool, uint32_t set, const char *key, const char *node_name)
{
    uint32_t ids[HF_LABELS_MAX];
    size_t n = decode_set(&pool->sets[set], ids), n_key = strlen(key);

    for (size_t i = 0; i < n; i++) {
        const char *text = pool->labels[ids[i]].text;
        if (strncmp(text, key, n_key) != 0 || text[n_key] != '=')
            continue;
        return strcmp(text + n_key + 1, OWN_NAME) == 0 ? node_name : text + n_key + 1;
    }
    return NULL;
}

size_t hf_label_pool_bytes(const struct hf_label_pool *pool)
{
    return pool->slab.bytes + pool->cap_labels * sizeof(*pool->labels) + pool->cap_sets * sizeof(*pool->sets) +
           (pool->label_table.cap + pool->set_table.cap) * sizeof(uint32_t);
}

/* ---- selectors --------------------------------------------------------------------------------------------------- */

static int add_need(struct hf_label_match *match, const char *key, bool negative)
{
    struct hf_label_need *grown = realloc(match->needs, (match->n_needs + 1) * sizeof(*grown));

    if (grown == NULL)
        return -ENOMEM;
    match->needs = grown;
    grown[match->n_needs] = (struct hf_label_need){.key = strdup(key), .negative = negative};
    return grown[match->n_needs++].key == NULL ? -ENOMEM : 0;
}

static int add_value(struct hf_label_match *match, const char *value)
{
    struct hf_label_need *need = &match->needs[match->n_needs - 1];
    char **grown = realloc(need->values, (need->n_values + 1) * sizeof(*grown));

    if (grown == NULL)
        return -ENOMEM;
    need->values = grown;
    grown[need->n_values] = strdup(value);
    return grown[need->n_values++] == NULL ? -ENOMEM : 0;
}

static int add_expression(struct hf_label_match *match, const json_t *expression)
{
    const char *operator_ = hf_json_str_or(expression, "operator", "");
    bool negative = strcmp(operator_, "NotIn") == 0 || strcmp(operator_, "DoesNotExist") == 0;
    const json_t *values = json_object_get(expression, "values");
    int r = add_need(match, hf_json_str_or(expression, "key", ""), negative);

    for (size_t i = 0; i < json_array_size(values) && r == 0; i++)
        r = add_value(match, json_string_value(json_array_get(values, i)));
    return r;
}

int hf_label_match_init(struct hf_label_match *match, const struct hf_selector *selector)
{
    const json_t *expressions = json_object_get(selector->json, "matchExpressions");
    const char *key;
    json_t *value;
    int r = 0;

    *match = (struct hf_label_match){0};
    json_object_foreach(json_object_get(selector->json, "matchLabels"), key, value) {
        r = add_need(match, key, false);
        if (r == 0)
            r = add_value(match, json_string_value(value));
        if (r < 0)
            break;
    }
    for (size_t i = 0; i < json_array_size(expressions) && r == 0; i++)
        r = add_expression(match, json_array_get(expressions, i));
    if (r < 0)
        hf_label_match_done(match);
    return r;
}

void hf_label_match_done(struct hf_label_match *match)
{
    for (size_t i = 0; i < match->n_needs; i++) {
        for (size_t k = 0; k < match->needs[i].n_values; k++)
            free(match->needs[i].values[k]);
        free(match->needs[i].values);
        free(match->needs[i].key);
    }
    free(match->needs);
    *match = (struct hf_label_match){0};
}

static bool meets(const struct hf_label_need *need, const char *value)
{
    bool found = value != NULL && need->n_values == 0;

    for (size_t i = 0; i < need->n_values && value != NULL && !found; i++)
        found = strcmp(need->values[i], value) == 0;
    return found != need->negative;
}

bool hf_label_match_test(const struct hf_label_match *match, const struct hf_label_pool *pool, uint32_t set,
                         const char *node_name)
{
    for (size_t i = 0; i < match->n_needs; i++)
        if (!meets(&match->needs[i], hf_label_pool_value(pool, set, match->needs[i].key, node_name)))
            return false;
    return true;
}
