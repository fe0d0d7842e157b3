/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/anomaly.h - decides for one rule and one series when an anomaly begins and ends.
 *
 *     threshold     The anomaly begins when the value is above (or below) a bound, and ends when the value is inside
 *                   the bound by at least the hysteresis. For counters, the rule uses the increase per second as the
 *                   value.
 *     zScore        The anomaly begins when the value differs from the mean by more than the given number of standard
 *                   deviations. Mean and deviation are over an exponentially weighted moving window. The rule applies
 *                   only after 16 values. For counters, the rule uses the increase per second as the value. A value
 *                   outside the bound changes mean and deviation only as much as a value at the bound would. The next
 *                   value inside the bound ends the anomaly.
 *     rateOfChange  The anomaly begins when the value rises or falls by more than the bound within the time `per`. The
 *                   rule compares the value with an earlier value that is about as old as `per`. The next value inside
 *                   the bound ends the anomaly.
 *     absence       The anomaly begins when no value has come for the given time. The next value ends the anomaly.
 *
 * If the pipeline aggregates the values of the series, it emits raw values only around the beginning of an anomaly: the
 * `before` values that came directly before it, the value that begins it, and the next `after` values.
 *
 * Pure; times are arguments. Memory: a state owns the ring of the values before an anomaly. */
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

/* A finding that waits until the pipeline's emit function accepts it. */
struct hf_pending_finding {
    bool open;
    uint64_t unix_ns;
    /* `value` is the value of the metric; `measured` is the number that the rule compared with the bound (for
     * `absence`, the seconds since the last value) */
    double value, measured;
};

/* The state of one rule for one series. */
struct hf_anomaly_rule_state {
    const struct hf_telemetry_anomaly *rule; /* borrowed */
    bool active;
    struct hf_sample last;
    uint64_t seen;
    double mean, variance;
    uint64_t learned;
    /* for rateOfChange, earlier samples; each is at least `per` / 8 later than the one before it */
    struct hf_sample anchors[HF_ANOMALY_ANCHORS];
    size_t n_anchors;
    uint64_t after; /* number of coming values that the pipeline will emit raw because of the anomaly */
    /* ring with the most recent rule->before samples; the state owns this ring, which is NULL if the rule needs no
     * samples */
    struct hf_sample *before;
    size_t before_at, before_n;
    /* number of samples in the ring that still have to be emitted; the ring takes no new sample until this number is
     * 0 */
    size_t before_open;
    struct hf_pending_finding begins, ends;
};

/* Initializes the state for a rule, which the state borrows. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_anomaly_init(struct hf_anomaly_rule_state *state, const struct hf_telemetry_anomaly *rule);
void hf_anomaly_done(struct hf_anomaly_rule_state *state);

/* Returns the phase into which this value brings the series, and leaves the state unchanged. Sets *ret_measured to the
 * number that the rule compares with the bound. */
enum hf_anomaly_phase hf_anomaly_judge(const struct hf_anomaly_rule_state *state, enum hf_value_kind kind,
                                       const struct hf_sample *point, double *ret_measured);
/* Updates the state with a value. `phase` and `measured` are the results of hf_anomaly_judge() for this value. Pass
 * with_context = true if the pipeline aggregates normal values and does not emit them raw. The ring then keeps the
 * latest raw values, so that the pipeline can emit them when an anomaly begins. */
void hf_anomaly_learn(struct hf_anomaly_rule_state *state, enum hf_value_kind kind, const struct hf_sample *point,
                      enum hf_anomaly_phase phase, double measured, bool with_context);
/* Returns true and sets state->begins if an absence begins now. Returns true only once for each absence. */
bool hf_anomaly_missing(struct hf_anomaly_rule_state *state, uint64_t now_ns, uint64_t unix_ns);
/* Returns the monotonic time at which an absence begins if no value comes before that time. Returns HF_NEVER if the
 * rule is not `absence`, or if the absence has begun already. */
uint64_t hf_anomaly_missing_at_ns(const struct hf_anomaly_rule_state *state);

/* Returns true if a finding, or a raw value from before the anomaly, waits for the pipeline's emit function. */
static inline bool hf_anomaly_has_pending(const struct hf_anomaly_rule_state *state)
{
    return state->begins.open || state->ends.open || state->before_open > 0;
}
