/* telemetry/pipeline/anomaly.h - decides for one rule and one series when an anomaly begins and ends.
 *
 *     threshold     The value is above or below a bound, until it is inside the bound by at least the hysteresis. For
 *                   counters, the rule uses the increase per second as the value.
 *     zScore        The value is further from the mean than the given number of standard deviations, both over an
 *                   exponentially weighted moving window. The rule applies only after 16 values. For counters, it uses
 *                   the increase per second as the value. A value outside the bound changes mean and deviation only as
 *                   much as a value at the bound would.
 *     rateOfChange  The change within the time `per`, up or down, exceeds the bound. The rule compares the value with
 *                   an earlier one, about as old as `per`.
 *     absence       No value came for the given time.
 *
 * An anomaly lasts from the first value outside the bound to the next value inside the bound. Raw values pass only at
 * the beginning of an anomaly. These are the `before` values ahead of the anomaly, the value that begins the anomaly,
 * and the `after` values that follow.
 *
 * Pure: times are arguments. Memory: a state owns the ring of the values before an anomaly. */
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

/* A finding that waits until emit takes it. */
struct hf_pending_finding {
    bool open;
    uint64_t unix_ns;
    double value, measured; /* the value, and the number that the rule compared with the bound */
};

/* One rule on one series. */
struct hf_anomaly_rule_state {
    const struct hf_telemetry_anomaly *rule; /* borrowed */
    size_t rule_index;
    bool active;
    struct hf_sample last;
    uint64_t seen;
    double mean, variance;
    uint64_t learned;
    struct hf_sample anchors[HF_ANOMALY_ANCHORS]; /* rateOfChange: samples that are per / 8 apart */
    size_t n_anchors;
    uint64_t after;           /* number of raw values that still pass */
    struct hf_sample *before; /* ring of rule->before samples, owned; NULL: no ring */
    size_t before_at, before_n;
    /* number of samples in the ring that still have to be emitted; the ring takes no new one until this is 0 */
    size_t before_open;
    struct hf_pending_finding begins, ends;
};

/* Initialises the state for a rule, which the state borrows. -ENOMEM. */
HF_MUST_USE int hf_anomaly_init(struct hf_anomaly_rule_state *state, const struct hf_telemetry_anomaly *rule,
                                size_t rule_index);
void hf_anomaly_done(struct hf_anomaly_rule_state *state);

/* Returns the phase that this value would lead to, without a change of the state. *ret_measured is the number that the
 * rule compared with the bound. */
enum hf_anomaly_phase hf_anomaly_judge(const struct hf_anomaly_rule_state *state, enum hf_value_kind kind,
                                       const struct hf_sample *point, double *ret_measured);
/* Updates the state with a value. `phase` and `measured` are the results of hf_anomaly_judge() for this value. Set
 * with_context to true if the pipeline aggregates normal values instead of emitting them. The ring then keeps the
 * latest raw values, so that the pipeline can emit them when an anomaly begins. */
void hf_anomaly_learn(struct hf_anomaly_rule_state *state, enum hf_value_kind kind, const struct hf_sample *point,
                      enum hf_anomaly_phase phase, double measured, bool with_context);
/* When an absence begins, sets state->begins and returns true; returns true only once for each absence. */
bool hf_anomaly_missing(struct hf_anomaly_rule_state *state, uint64_t now_ns, uint64_t unix_ns);
/* Monotonic time at which an absence would begin; HF_NEVER: no absence rule, or the absence has begun already. */
uint64_t hf_anomaly_missing_at_ns(const struct hf_anomaly_rule_state *state);

/* True if a finding, or a raw value from before the anomaly, waits for emit. */
static inline bool hf_anomaly_has_pending(const struct hf_anomaly_rule_state *state)
{
    return state->begins.open || state->ends.open || state->before_open > 0;
}
