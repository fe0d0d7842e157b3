/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded table of series, each with a summary and rules' states, by name, owner (event.h), class, source, boundary,
 * kind of value, attributes in order. Posts may take half; senders beyond 23 are one. Threads: one at a time. Allocates
 * for new series only. */
#pragma once

#include "telemetry/pipeline/aggregate.h"
#include "telemetry/pipeline/anomaly.h"

enum { HF_SERIES_SENDERS = 24 };

struct hf_series {
    uint64_t hash;
    char *key; /* identity; owned */
    uint32_t key_n;
    enum hf_value_kind kind;
    enum hf_severity severity;
    uint64_t last_ns; /* event */
    struct hf_aggregate aggregate;
    struct hf_anomaly_rule_state *rule_states; /* per rule; owned */
    size_t n_rule_states;
    size_t bytes;    /* approximate */
    unsigned sender; /* if posted, in `senders` */
};

struct hf_series_table {
    struct hf_series **all;
    size_t n, max;
    size_t bytes;
    size_t n_posted, posted_bytes;
    struct {
        uint64_t owner;
        size_t n, bytes;
    } senders[HF_SERIES_SENDERS]; /* last: others */
    uint32_t *slots;              /* open addressing: 1 + index in `all`; 0: free */
    size_t n_slots;               /* power of two */
    struct hf_buf scratch;
};

void hf_series_table_init(struct hf_series_table *table, size_t max);
void hf_series_table_done(struct hf_series_table *table);

/* NULL: full, too long, no memory. */
struct hf_series *hf_series_get(struct hf_series_table *table, const struct hf_event *event, struct hf_view name,
                                bool *ret_new);
/* The caller allocated n bytes for it. */
void hf_series_charge(struct hf_series_table *table, struct hf_series *series, size_t n);
/* The last series moves there. */
void hf_series_remove(struct hf_series_table *table, size_t index);

/* The series' identity and severity, else 0; borrows. */
void hf_series_event(const struct hf_series *series, struct hf_event *ret_event);
