/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded table of series (name, owner, class, source, boundary, kind of value, attributes), each with its aggregate
 * and the states of its rules. Posts may take half of the table. Threads: one at a time. */
#pragma once

#include "telemetry/pipeline/aggregate.h"
#include "telemetry/pipeline/anomaly.h"

enum { HF_SERIES_SENDERS = 24 };

struct hf_series {
    uint64_t hash;
    char *key; /* what the series is, packed; owned */
    uint32_t key_n;
    enum hf_value_kind kind;
    enum hf_severity severity;
    uint64_t last_ns;
    struct hf_aggregate aggregate;
    struct hf_anomaly_rule_state *rule_states;
    size_t n_rule_states;
    size_t bytes;
    unsigned sender;
};

struct hf_series_table {
    struct hf_series **all;
    size_t n, max;
    size_t bytes;
    size_t n_posted, posted_bytes;
    struct {
        uint64_t owner;
        size_t n, bytes;
    } senders[HF_SERIES_SENDERS]; /* the last entry: all other senders */
    uint32_t *slots;
    size_t n_slots;
    struct hf_buf scratch;
};

void hf_series_table_init(struct hf_series_table *table, size_t max);
void hf_series_table_done(struct hf_series_table *table);

/* Finds or adds the event's series. NULL: table or share full, key too long, no memory. */
struct hf_series *hf_series_get(struct hf_series_table *table, const struct hf_event *event, struct hf_view name,
                                bool *ret_new);
/* Counts n bytes that the caller allocated for the series. */
void hf_series_charge(struct hf_series_table *table, struct hf_series *series, size_t n);
/* Removes a series; the last one moves to its index. */
void hf_series_remove(struct hf_series_table *table, size_t index);

/* Fills *ret_event with the series' identity and severity. Borrows. */
void hf_series_event(const struct hf_series *series, struct hf_event *ret_event);
