/* telemetry/pipeline/anomaly.h - is this value of this series out of the ordinary, and when did that begin and end. Pure.
 *
 *     threshold     above or below a bound, until it is back inside by the hysteresis. Of a counter: its increase per second
 *     zScore        further from the mean than so many standard deviations, both over an exponentially weighted moving window (after
 *                   16 values; of a counter: of its increase per second). What is far away moves the window by no more than the bound
 *     rateOfChange  change within `per` above the bound, up or down; against a value of about so long ago
 *     absence       no value for so long
 *
 * An anomaly lasts from the first value that is out to the first that is not; its raw values are passed on at its beginning only:
 * `before` values that came ahead of it, the value itself, `after` values that follow. */
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

/* What is to be told, kept until it could be. */
struct hf_pending_finding {
    bool open;
    uint64_t unix_ns;
    double value, measured; /* the value; what was compared with the bound */
};

struct hf_anomaly_rule_state {
    const struct hf_telemetry_anomaly *rule; /* borrowed */
    size_t rule_index;
    bool active;
    struct hf_sample last;
    uint64_t seen;
    double mean, variance;
    uint64_t learned;
    struct hf_sample anchors[HF_ANOMALY_ANCHORS]; /* rateOfChange: per / 8 apart */
    size_t n_anchors;
    uint64_t after;           /* raw values still to pass */
    struct hf_sample *before; /* ring of rule->before points, owned; NULL none */
    size_t before_at, before_n;
    size_t before_open; /* oldest of the ring still to be passed on; the ring takes nothing new until 0 */
    struct hf_pending_finding begins, ends;
};

/* -ENOMEM. */
HF_MUST_USE int hf_anomaly_init(struct hf_anomaly_rule_state *state, const struct hf_telemetry_anomaly *rule,
                                size_t rule_index);
void hf_anomaly_done(struct hf_anomaly_rule_state *state);

/* Judge a value without remembering it. *ret_measured: what was compared with the bound. */
enum hf_anomaly_phase hf_anomaly_judge(const struct hf_anomaly_rule_state *state, enum hf_value_kind kind,
                                       const struct hf_sample *point, double *ret_measured);
/* Remember it, with the phase it got. `with_context`: raw values do not leave by themselves, so keep those before. */
void hf_anomaly_learn(struct hf_anomaly_rule_state *state, enum hf_value_kind kind, const struct hf_sample *point,
                      enum hf_anomaly_phase phase, double measured, bool with_context);
/* An absence that begins at this time: true once, with state->begins set. */
bool hf_anomaly_missing(struct hf_anomaly_rule_state *state, uint64_t now_ns, uint64_t unix_ns);
/* When it would; HF_NEVER. */
uint64_t hf_anomaly_missing_at_ns(const struct hf_anomaly_rule_state *state);

/* Something waits to be told. */
static inline bool hf_anomaly_has_pending(const struct hf_anomaly_rule_state *state)
{
    return state->begins.open || state->ends.open || state->before_open > 0;
}
