/* telemetry/pipeline/series.h - bounded table of the series, each with its summary and the states of its anomaly rules.
 *
 * Name, source, boundary and attributes of a metric identify a series. The order of the attributes matters, so a source
 * must always give the attributes of a series in one order.
 *
 * Threads: one at a time.  Memory: the table owns its series; only a new series allocates. */
#pragma once

#include "telemetry/pipeline/aggregate.h"
#include "telemetry/pipeline/anomaly.h"

struct hf_series {
    uint64_t hash;
    char *key; /* bytes that identify the series, of which the series is the owner */
    uint32_t key_n;
    enum hf_value_kind kind;
    enum hf_severity severity;
    uint64_t last_ns; /* monotonic time of the last event */
    struct hf_aggregate aggregate;
    struct hf_anomaly_rule_state *rule_states; /* one state for each rule that applies; owned */
    size_t n_rule_states;
};

struct hf_series_table {
    struct hf_series **all; /* items 0..n-1 are in use */
    size_t n, max;
    uint32_t *slots; /* hash table with open addressing; a slot holds 1 + an index in `all` (0 means free) */
    size_t n_slots;  /* a power of two */
    struct hf_buf scratch;
};

/* Initialises a table of at most `max` series. Allocates nothing yet. */
void hf_series_table_init(struct hf_series_table *table, size_t max);
void hf_series_table_done(struct hf_series_table *table);

/* Returns the series of an event, with `name` as the metric's name. If the series is new, adds it and sets *ret_new to
 * true. If the result is NULL, *ret_new is true on OOM, and false if the table is full or the bytes that identify the
 * series are too long. */
struct hf_series *hf_series_get(struct hf_series_table *table, const struct hf_event *event, struct hf_view name,
                                bool *ret_new);
/* Removes the series all[index]. The last series moves to this index. */
void hf_series_remove(struct hf_series_table *table, size_t index);

/* Sets source, source_class, boundary, name and attributes of *ret_event, which borrow from the series. Clears the
 * other fields. */
void hf_series_event(const struct hf_series *series, struct hf_event *ret_event);
