/* SPDX-License-Identifier: Apache-2.0 */
/* The senders of metrics choose the names and so decide how many series there are, and 32 anomaly rules with context
 * take 60 KiB for each series; so both the number and the bytes are limited. Posts may have half of both, so that no
 * sender takes the place of the node's own metrics; one sender may have three times what is then left of that half. */
#include "telemetry/pipeline/series.h"

#include "telemetry/event/hash.h"

#define HF_SERIES_MAX_BYTES (32u << 20) /* in all */

/* ALLOCATIONS: bytes that the allocator and the table add to a series */
enum { MAX_KEY = 16 << 10, FIRST_SLOTS = 64, ALLOCATIONS = 64, KEY_HEAD = 2 + sizeof(uint64_t) };

void hf_series_table_init(struct hf_series_table *table, size_t max)
{
    *table = (struct hf_series_table){.max = max, .scratch = HF_BUF_INIT(MAX_KEY)};
}

static void free_series(struct hf_series *series)
{
    for (size_t i = 0; i < series->n_rule_states; i++)
        hf_anomaly_done(&series->rule_states[i]);
    free(series->rule_states);
    hf_aggregate_done(&series->aggregate);
    free(series->key);
    free(series);
}

void hf_series_table_done(struct hf_series_table *table)
{
    for (size_t i = 0; i < table->n; i++)
        free_series(table->all[i]);
    free(table->all);
    free(table->slots);
    hf_buf_done(&table->scratch);
    *table = (struct hf_series_table){0};
}

/* ---- identity as bytes: class, kind and owner, then each part behind its length ------------------------------ */

static size_t packed_size(const struct hf_event *event, struct hf_view name)
{
    size_t n = KEY_HEAD + 3 * sizeof(uint16_t) + event->source.n + event->boundary.n + name.n;

    for (size_t i = 0; i < event->n_attributes; i++)
        n += 2 * sizeof(uint16_t) + event->attributes[i].name.n + event->attributes[i].value.n;
    return n;
}

static char *pack_part(char *at, struct hf_view part)
{
    uint16_t n = (uint16_t)part.n;

    memcpy(at, &n, sizeof(n));
    if (n > 0)
        memcpy(at + sizeof(n), part.p, n);
    return at + sizeof(n) + n;
}

static bool pack(struct hf_buf *out, const struct hf_event *event, struct hf_view name)
{
    size_t n = packed_size(event, name);

    hf_buf_clear(out);
    if (n > MAX_KEY || hf_buf_reserve(out, n) < 0)
        return false;
    uint64_t owner = hf_event_owner(event);
    out->p[0] = (char)event->source_class;
    out->p[1] = (char)event->value_kind;
    memcpy(out->p + 2, &owner, sizeof(owner));
    char *at = pack_part(out->p + KEY_HEAD, event->source);
    at = pack_part(at, event->boundary);
    at = pack_part(at, name);
    for (size_t i = 0; i < event->n_attributes; i++) {
        at = pack_part(at, event->attributes[i].name);
        at = pack_part(at, event->attributes[i].value);
    }
    out->n = n;
    return true;
}

static const char *unpack_part(const char *at, struct hf_view *part)
{
    uint16_t n;

    memcpy(&n, at, sizeof(n));
    *part = (struct hf_view){at + sizeof(n), n};
    return at + sizeof(n) + n;
}

void hf_series_event(const struct hf_series *series, struct hf_event *ret_event)
{
    const char *at = series->key + KEY_HEAD, *end = series->key + series->key_n;

    memset(ret_event, 0, offsetof(struct hf_event, attributes));
    ret_event->n_attributes = 0;
    ret_event->kind = HF_EVENT_METRIC;
    ret_event->source_class = (enum hf_source_class)series->key[0];
    memcpy(&ret_event->owner, series->key + 2, sizeof(ret_event->owner));
    ret_event->severity = series->severity;
    ret_event->value_kind = series->kind;
    at = unpack_part(at, &ret_event->source);
    at = unpack_part(at, &ret_event->boundary);
    at = unpack_part(at, &ret_event->name);
    while (at < end) {
        struct hf_attribute *attribute = &ret_event->attributes[ret_event->n_attributes++];
        at = unpack_part(at, &attribute->name);
        at = unpack_part(at, &attribute->value);
    }
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static size_t slot_of(const struct hf_series_table *table, uint64_t hash, const char *key, size_t key_n)
{
    size_t slot = (size_t)hash & (table->n_slots - 1);

    for (; table->slots[slot] != 0; slot = (slot + 1) & (table->n_slots - 1)) {
        const struct hf_series *series = table->all[table->slots[slot] - 1];
        if (series->hash == hash && series->key_n == key_n && memcmp(series->key, key, key_n) == 0)
            break;
    }
    return slot;
}

/* Keeps the hash table at most half full, so that a search without a hit ends soon. */
static bool make_room(struct hf_series_table *table)
{
    size_t n_slots = table->n_slots == 0 ? FIRST_SLOTS : table->n_slots * 2;

    if (2 * (table->n + 1) <= table->n_slots)
        return true;
    struct hf_series **all = realloc(table->all, n_slots / 2 * sizeof(struct hf_series *));
    if (all == NULL)
        return false;
    table->all = all;
    uint32_t *slots = calloc(n_slots, sizeof(*slots));
    if (slots == NULL)
        return false;
    free(table->slots);
    table->slots = slots;
    table->n_slots = n_slots;
    for (size_t i = 0; i < table->n; i++)
        slots[slot_of(table, all[i]->hash, all[i]->key, all[i]->key_n)] = (uint32_t)i + 1;
    return true;
}

static struct hf_series *add(struct hf_series_table *table, uint64_t hash)
{
    struct hf_series *series = make_room(table) ? calloc(1, sizeof(*series)) : NULL;
    char *key = series != NULL ? malloc(table->scratch.n) : NULL;

    if (key == NULL) {
        free(series);
        return NULL;
    }
    memcpy(key, table->scratch.p, table->scratch.n);
    series->hash = hash;
    series->key = key;
    series->key_n = (uint32_t)table->scratch.n;
    table->slots[slot_of(table, hash, key, series->key_n)] = (uint32_t)table->n + 1;
    table->all[table->n++] = series;
    return series;
}

static bool is_posted(const struct hf_series *series)
{
    return series->key[0] == (char)HF_SOURCE_HTTP;
}

void hf_series_charge(struct hf_series_table *table, struct hf_series *series, size_t n)
{
    series->bytes += n;
    table->bytes += n;
    if (!is_posted(series))
        return;
    table->posted_bytes += n;
    table->senders[series->sender].bytes += n;
}

/* Returns the place of a sender in the list: its own, one that is free, or the last one. */
static unsigned sender_of(const struct hf_series_table *table, uint64_t owner)
{
    unsigned unused = HF_SERIES_SENDERS - 1;

    for (unsigned i = 0; i < HF_SERIES_SENDERS - 1; i++) {
        if (table->senders[i].n > 0 && table->senders[i].owner == owner)
            return i;
        if (table->senders[i].n == 0)
            unused = HF_MIN(unused, i);
    }
    return unused;
}

/* True if the sender may have one more series. */
static bool may_post(const struct hf_series_table *table, unsigned sender)
{
    size_t half = (table->max + 1) / 2, n = half - HF_MIN(half, table->n_posted);
    size_t bytes = HF_SERIES_MAX_BYTES / 2 - HF_MIN(HF_SERIES_MAX_BYTES / 2, table->posted_bytes);

    return n > 0 && bytes > 0 && table->senders[sender].n < 3 * n && table->senders[sender].bytes < 3 * bytes;
}

struct hf_series *hf_series_get(struct hf_series_table *table, const struct hf_event *event, struct hf_view name,
                                bool *ret_new)
{
    *ret_new = false;
    if (!pack(&table->scratch, event, name))
        return NULL;
    uint64_t hash = hf_hash64(table->scratch.p, table->scratch.n, 0);
    if (table->n_slots > 0) {
        uint32_t found = table->slots[slot_of(table, hash, table->scratch.p, table->scratch.n)];
        if (found != 0)
            return table->all[found - 1];
    }
    if (table->n >= table->max || table->bytes >= HF_SERIES_MAX_BYTES)
        return NULL;
    bool posted = event->source_class == HF_SOURCE_HTTP;
    unsigned sender = posted ? sender_of(table, hf_event_owner(event)) : 0;
    if (posted && !may_post(table, sender))
        return NULL;
    *ret_new = true;
    struct hf_series *series = add(table, hash);
    if (series != NULL) {
        series->sender = sender;
        table->n_posted += posted;
        table->senders[sender].n += posted;
        if (posted)
            table->senders[sender].owner = hf_event_owner(event);
        series->kind = event->value_kind;
        series->severity = event->severity;
        hf_series_charge(table, series, sizeof(*series) + series->key_n + ALLOCATIONS);
        if (series->kind == HF_VALUE_HISTOGRAM)
            hf_series_charge(table, series, sizeof(struct hf_histogram));
    }
    return series;
}

/* Frees a slot and moves the entries whose search would cross the hole. */
static void free_slot(struct hf_series_table *table, size_t hole)
{
    size_t mask = table->n_slots - 1;

    for (size_t slot = (hole + 1) & mask; table->slots[slot] != 0; slot = (slot + 1) & mask) {
        size_t home = (size_t)table->all[table->slots[slot] - 1]->hash & mask;
        if (((slot - home) & mask) < ((slot - hole) & mask))
            continue;
        table->slots[hole] = table->slots[slot];
        hole = slot;
    }
    table->slots[hole] = 0;
}

void hf_series_remove(struct hf_series_table *table, size_t index)
{
    struct hf_series *series = table->all[index], *last = table->all[table->n - 1];

    free_slot(table, slot_of(table, series->hash, series->key, series->key_n));
    if (last != series) {
        table->slots[slot_of(table, last->hash, last->key, last->key_n)] = (uint32_t)index + 1;
        table->all[index] = last;
    }
    table->n--;
    table->bytes -= series->bytes;
    if (is_posted(series)) {
        table->n_posted--;
        table->posted_bytes -= series->bytes;
        table->senders[series->sender].n--;
        table->senders[series->sender].bytes -= series->bytes;
    }
    free_series(series);
}
