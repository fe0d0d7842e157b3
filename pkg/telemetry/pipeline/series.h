/* telemetry/pipeline/series.h - bounded table of the series: name, source, boundary and attributes of a metric.
 *
 * These four identify a series. The order of the attributes matters: a source must name them in the same order each
 * time.
 *
 * Threads: one at a time.  Memory: the table owns its series; only a new series allocates. */
#pragma once

#include "telemetry/pipeline/aggregate.h"
#include "telemetry/pipeline/anomaly.h"

struct hf_series {
    uint64_t hash;
    char *key; /* bytes that identify the series; owned */
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
    uint32_t *slots; /* hash table with open addressing: index in `all` plus 1; 0: free */
    size_t n_slots;  /* a power of two */
    struct hf_buf scratch;
};

/* Allocates nothing yet. */
void hf_series_table_init(struct hf_series_table *table, size_t max);
void hf_series_table_done(struct hf_series_table *table);

/* Returns the series of an event under `name`, and adds it if it is new (*ret_new). NULL with *ret_new false: the
 * table is full, or the identity is too long. NULL with *ret_new true: out of memory. */
struct hf_series *hf_series_get(struct hf_series_table *table, const struct hf_event *event, struct hf_view name,
                                bool *ret_new);
/* Removes a series; the last one takes its place in `all`. */
void hf_series_remove(struct hf_series_table *table, size_t index);

/* Sets source, source_class, boundary, name and attributes of *ret_event, borrowed from the series, and clears the
 * other fields. */
void hf_series_event(const struct hf_series *series, struct hf_event *ret_event);
