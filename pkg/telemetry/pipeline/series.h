/* telemetry/pipeline/series.h - metrics told apart by name, source, boundary and attributes: a bounded table that allocates only for new ones.
 *
 * Attributes count in the order in which they come: a source names them in the same order each time. */
#pragma once

#include "telemetry/pipeline/aggregate.h"
#include "telemetry/pipeline/anomaly.h"

struct hf_series {
    uint64_t hash;
    char *key; /* packed identity, owned */
    uint32_t key_n;
    enum hf_value_kind kind;
    enum hf_severity severity;
    uint64_t last_ns; /* monotonic time of the last event */
    struct hf_aggregate aggregate;
    struct hf_anomaly_rule_state *rule_states; /* one for each rule that is about it, owned */
    size_t n_rule_states;
};

struct hf_series_table {
    struct hf_series **all; /* dense: 0..n-1 */
    size_t n, max;
    uint32_t *slots; /* open addressing: index in `all` plus 1, 0 free */
    size_t n_slots;  /* power of two */
    struct hf_buf scratch;
};

/* Takes next to nothing until there are series. */
void hf_series_table_init(struct hf_series_table *table, size_t max);
void hf_series_table_done(struct hf_series_table *table);

/* The series of an event under `name`. Made when it is new: *ret_new. NULL: the table is full, the identity too long, or no memory
 * (*ret_new is then true for -ENOMEM alone). */
struct hf_series *hf_series_get(struct hf_series_table *table, const struct hf_event *event, struct hf_view name,
                                bool *ret_new);
/* The last one takes its place in `all`. */
void hf_series_remove(struct hf_series_table *table, size_t index);

/* source, source_class, boundary, name and attributes of *ret_event, borrowed from the series; the rest zero. */
void hf_series_event(const struct hf_series *series, struct hf_event *ret_event);
