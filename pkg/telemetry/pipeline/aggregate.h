/* telemetry/pipeline/aggregate.h - summary of one series over one window.
 *
 *     counter    value: the increase within the window. A value below the last one is a reset, and the whole
 *                value counts as increase. The first value of a series only sets the starting point. summary:
 *                {"count","resets","last"}
 *     gauge      value: the last one. summary: {"count","sum","min","max","mean"}
 *     histogram  value: the sum of the observations; histogram: telemetry/pipeline/histogram.h
 *
 * The caller leaves out values that are not finite.  Pure.  Memory: owns its histogram. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/pipeline/histogram.h"

struct hf_aggregate {
    uint64_t count; /* in this window */
    double last;    /* over all windows */
    double sum, min, max;
    double added; /* counter: the increase */
    uint64_t resets;
    bool has_last;
    struct hf_histogram *histogram; /* owned; allocated with the first observation */
};

void hf_aggregate_done(struct hf_aggregate *aggregate);
/* Adds a value to the window. -ENOMEM: the value does not count. */
HF_MUST_USE int hf_aggregate_add(struct hf_aggregate *aggregate, enum hf_value_kind kind, double value);
/* Sets value and histogram of *event by its value_kind; the summary is text in *text, which it overwrites. -ENOMEM. */
HF_MUST_USE int hf_aggregate_fill(const struct hf_aggregate *aggregate, struct hf_event *event, struct hf_buf *text);
/* Begins the next window. */
void hf_aggregate_next(struct hf_aggregate *aggregate);
