/* telemetry/pipeline/aggregate.h - summarises the values of one series within one window.
 *
 *     counter    value: the increase within the window. A value below the last one is a reset, and the whole
 *                value counts as increase. The first value of a series is only the starting point. Summary:
 *                {"count","resets","last"}
 *     gauge      value: the last value of the window. Summary: {"count","sum","min","max","mean"}
 *     histogram  value: the sum of the observations. Summary: the text of hf_histogram_format()
 *
 * The caller must leave out values that are not finite. Pure. Memory: the aggregate owns its histogram. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/pipeline/histogram.h"

struct hf_aggregate {
    uint64_t count; /* number of values in this window */
    double last;    /* last value, also of an earlier window */
    double sum, min, max;
    double added; /* counter: the increase */
    uint64_t resets;
    bool has_last;
    struct hf_histogram *histogram; /* owned; allocated with the first observation */
};

void hf_aggregate_done(struct hf_aggregate *aggregate);
/* Adds a value to the window. -ENOMEM: the value does not count. */
HF_MUST_USE int hf_aggregate_add(struct hf_aggregate *aggregate, enum hf_value_kind kind, double value);
/* Sets value and histogram of *event, whose value_kind the caller has set. Writes the summary to *text, over the text
 * there; event->histogram points to this summary. -ENOMEM. */
HF_MUST_USE int hf_aggregate_fill(const struct hf_aggregate *aggregate, struct hf_event *event, struct hf_buf *text);
/* Begins the next window. */
void hf_aggregate_next(struct hf_aggregate *aggregate);
