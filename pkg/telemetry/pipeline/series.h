/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/series.h - bounded table of the series. Each series has a summary and the states of its anomaly
 * rules.
 *
 * A policy sets the limits for the number of series and of anomaly rules, but the senders of metrics choose the names
 * and so decide how many series there are. A limit for the number of series alone does not limit memory enough, because
 * 32 anomaly rules with context take 60 KiB for each series. So the table also has a limit in bytes.
 *
 * Two metrics belong to the same series if they have the same name, owner (event.h), source class, source, boundary and
 * kind of value, and the same attributes in the same order. What is posted may take half of the series, and half of the
 * bytes, so that no sender takes the place of the node's own metrics; one sender may take three times what is then left
 * of that half. Senders beyond the first 23 that have series count together. A source must always list the attributes
 * of a series in the same order.
 *
 * Threads: any, but only one at a time for one table. Memory: the table owns its series, and allocates memory only for
 * a new series. */
#pragma once

#include "telemetry/pipeline/aggregate.h"
#include "telemetry/pipeline/anomaly.h"

#define HF_SERIES_MAX_BYTES (32u << 20) /* limit in bytes for the memory of all series of a table together */
enum { HF_SERIES_SENDERS = 24 };

struct hf_series {
    uint64_t hash;
    char *key; /* bytes that identify the series; the series owns this memory */
    uint32_t key_n;
    enum hf_value_kind kind;
    enum hf_severity severity;
    uint64_t last_ns; /* monotonic time of the last event in this series */
    struct hf_aggregate aggregate;
    /* array with one state for each anomaly rule that applies; the series owns the array */
    struct hf_anomaly_rule_state *rule_states;
    size_t n_rule_states;
    size_t bytes;    /* approximate memory that this series takes */
    unsigned sender; /* index in the table's `senders`, if the series is posted */
};

struct hf_series_table {
    struct hf_series **all; /* array of the series; items 0..n-1 are in use */
    size_t n, max;
    size_t bytes;                  /* approximate memory that all series take */
    size_t n_posted, posted_bytes; /* the part of `n` and `bytes` that is posted */
    struct {
        uint64_t owner;
        size_t n, bytes;
    } senders[HF_SERIES_SENDERS]; /* of what is posted; the last one counts all that have no place of their own */
    uint32_t *slots; /* hash table with open addressing; a slot holds 1 + an index in `all` (0 means free) */
    size_t n_slots;  /* number of slots, a power of two */
    struct hf_buf scratch;
};

/* Initializes a table for at most `max` series. Allocates no memory yet. */
void hf_series_table_init(struct hf_series_table *table, size_t max);
void hf_series_table_done(struct hf_series_table *table);

/* Returns the series of an event, with `name` as the metric's name. If the series is new, adds the series and sets
 * *ret_new to true; otherwise sets *ret_new to false. Returns NULL if the table is full, if the bytes that identify the
 * series are too long, or if memory runs out; *ret_new then has no meaning. */
struct hf_series *hf_series_get(struct hf_series_table *table, const struct hf_event *event, struct hf_view name,
                                bool *ret_new);
/* Call this function when you have allocated `n` bytes of memory for this series. Adds `n` to the field `bytes` of the
 * series and of the table. */
void hf_series_charge(struct hf_series_table *table, struct hf_series *series, size_t n);
/* Removes and frees the series all[index]. The last series of the array then moves to this index. */
void hf_series_remove(struct hf_series_table *table, size_t index);

/* Sets *ret_event to a metric with the source, source class, owner, boundary, name, attributes, severity and kind of
 * value of the series; all other fields are 0. The views point into the series. */
void hf_series_event(const struct hf_series *series, struct hf_event *ret_event);
