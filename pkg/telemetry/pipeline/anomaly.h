/* SPDX-License-Identifier: Apache-2.0 */
/* Decides when an anomaly of one rule in one series begins and ends (anomaly.c). An aggregating pipeline also emits raw
 * values: the last `before` values, the first of the anomaly, and the next `after`. Pure. */
#pragma once

#include "telemetry/event/event.h"

enum { HF_ANOMALY_ANCHORS = 8, HF_ANOMALY_LEARNED = 16 };

enum hf_anomaly_phase {
    HF_ANOMALY_PHASE_NORMAL,
    HF_ANOMALY_PHASE_BEGINS,
    HF_ANOMALY_PHASE_LASTS,
    HF_ANOMALY_PHASE_ENDS
};

struct hf_sample {
    uint64_t mono_ns, unix_ns;
    double value;
};

struct hf_pending_finding {
    bool open;
    uint64_t unix_ns;
    double value, measured; /* `measured`: what the rule compared with its bound (absence: seconds) */
};

struct hf_anomaly_rule_state {
    const struct hf_telemetry_anomaly *rule;
    bool active;
    struct hf_sample last;
    uint64_t seen;
    double mean, variance;
    uint64_t learned;
    struct hf_sample anchors[HF_ANOMALY_ANCHORS]; /* earlier values for rateOfChange, at least `per` / 8 apart */
    size_t n_anchors;
    uint64_t after;           /* number of values still to emit raw */
    struct hf_sample *before; /* ring of the last rule->before samples, owned */
    size_t before_at, before_n;
    size_t before_open; /* samples of `before` still to emit; while not 0, no new samples enter */
    struct hf_pending_finding begins, ends;
};

HF_MUST_USE int hf_anomaly_init(struct hf_anomaly_rule_state *state, const struct hf_telemetry_anomaly *rule);
void hf_anomaly_done(struct hf_anomaly_rule_state *state);

/* Judges a value without learning it. *ret_measured: what the rule compares with its bound. */
enum hf_anomaly_phase hf_anomaly_judge(const struct hf_anomaly_rule_state *state, enum hf_value_kind kind,
                                       const struct hf_sample *point, double *ret_measured);
/* Learns a value, and what hf_anomaly_judge() found. `with_context`: keeps raw values for the next anomaly. */
void hf_anomaly_learn(struct hf_anomaly_rule_state *state, enum hf_value_kind kind, const struct hf_sample *point,
                      enum hf_anomaly_phase phase, double measured, bool with_context);
/* Whether an absence begins now; sets state->begins. */
bool hf_anomaly_missing(struct hf_anomaly_rule_state *state, uint64_t now_ns, uint64_t unix_ns);
/* When to call hf_anomaly_missing() (monotonic), or HF_NEVER. */
uint64_t hf_anomaly_missing_at_ns(const struct hf_anomaly_rule_state *state);

static inline bool hf_anomaly_has_pending(const struct hf_anomaly_rule_state *state)
{
    return state->begins.open || state->ends.open || state->before_open > 0;
}
