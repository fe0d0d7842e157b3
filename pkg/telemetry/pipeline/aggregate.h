/* telemetry/pipeline/aggregate.h - one series over one window. Pure.
 *
 *     counter    value: what was added in the window. A value below the last one is a reset: all of it was added since. The first
 *                value of a series is where counting begins. summary: {"count","resets","last"}
 *     gauge      value: the last one. summary: {"count","sum","min","max","mean"}
 *     histogram  value: the sum of the observations; histogram: telemetry/pipeline/histogram.h
 *
 * Values that are not finite are left out by the caller. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/pipeline/histogram.h"

struct hf_aggregate {
    uint64_t count; /* in this window */
    double last;    /* ever */
    double sum, min, max;
    double added;
    uint64_t resets;
    bool has_last;
    struct hf_histogram *histogram; /* owned; made with the first observation */
};

void hf_aggregate_done(struct hf_aggregate *aggregate);
/* -ENOMEM: the value is not in. */
HF_MUST_USE int hf_aggregate_add(struct hf_aggregate *aggregate, enum hf_value_kind kind, double value);
/* value and histogram (text in *text, cleared first) of *event, whose value_kind is set. -ENOMEM. */
HF_MUST_USE int hf_aggregate_fill(const struct hf_aggregate *aggregate, struct hf_event *event, struct hf_buf *text);
void hf_aggregate_next(struct hf_aggregate *aggregate); /* begin a window */
