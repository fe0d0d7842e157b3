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

enum { HF_WATCH_ANCHORS = 8, HF_WATCH_LEARNED = 16 };

enum hf_verdict { HF_VERDICT_NORMAL, HF_VERDICT_BEGINS, HF_VERDICT_LASTS, HF_VERDICT_ENDS };

struct hf_point {
    uint64_t mono_ns, unix_ns;
    double value;
};

/* What is to be told, kept until it could be. */
struct hf_tale {
    bool open;
    uint64_t unix_ns;
    double value, measured; /* the value; what was compared with the bound */
};

struct hf_watch {
    const struct hf_telemetry_anomaly *rule; /* borrowed */
    size_t rule_index;
    bool active;
    struct hf_point last;
    uint64_t seen;
    double mean, variance;
    uint64_t learned;
    struct hf_point anchors[HF_WATCH_ANCHORS]; /* rateOfChange: per / 8 apart */
    size_t n_anchors;
    uint64_t after;          /* raw values still to pass */
    struct hf_point *before; /* ring of rule->before points, owned; NULL none */
    size_t before_at, before_n;
    size_t before_open; /* oldest of the ring still to be passed on; the ring takes nothing new until 0 */
    struct hf_tale begins, ends;
};

/* -ENOMEM. */
HF_MUST_USE int hf_watch_init(struct hf_watch *watch, const struct hf_telemetry_anomaly *rule, size_t rule_index);
void hf_watch_done(struct hf_watch *watch);

/* Judge a value without remembering it. *ret_measured: what was compared with the bound. */
enum hf_verdict hf_watch_judge(const struct hf_watch *watch, enum hf_value_kind kind, const struct hf_point *point,
                               double *ret_measured);
/* Remember it, with the verdict it got. `with_context`: raw values do not leave by themselves, so keep those before. */
void hf_watch_learn(struct hf_watch *watch, enum hf_value_kind kind, const struct hf_point *point,
                    enum hf_verdict verdict, double measured, bool with_context);
/* An absence that begins at this time: true once, with watch->begins set. */
bool hf_watch_missing(struct hf_watch *watch, uint64_t now_ns, uint64_t unix_ns);
/* When it would; HF_NEVER. */
uint64_t hf_watch_missing_at_ns(const struct hf_watch *watch);

/* Something waits to be told. */
static inline bool hf_watch_open(const struct hf_watch *watch)
{
    return watch->begins.open || watch->ends.open || watch->before_open > 0;
}
