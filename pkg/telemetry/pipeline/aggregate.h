/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/aggregate.h - summarizes the values of one series within one window.
 *
 *     counter    The event's value is the increase within the window. A value below the previous value is a reset, and
 *                then the whole value counts as increase. The first value of a series is only the starting point. The
 *                summary is {"count","resets","last"}.
 *     gauge      The event's value is the last value of the window. The summary is {"count","sum","min","max","mean"}.
 *     histogram  The event's value is the sum of the observations. The summary is the text of hf_histogram_format().
 *
 * The caller must pass only finite values. Pure. Memory: the aggregate owns its histogram. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/pipeline/histogram.h"

struct hf_aggregate {
    uint64_t count; /* number of values in this window */
    double last;    /* last value of the series, from this window or an earlier window */
    double sum, min, max;
    double added; /* for a counter, the increase within this window */
    uint64_t resets;
    bool has_last;
    struct hf_histogram *histogram; /* histogram, which the aggregate owns; NULL before the first observation */
};

void hf_aggregate_done(struct hf_aggregate *aggregate);
/* Adds a value to the window. -ENOMEM: memory ran out, and the window is unchanged. */
HF_MUST_USE int hf_aggregate_add(struct hf_aggregate *aggregate, enum hf_value_kind kind, double value);
/* Sets the fields `value` and `histogram` of *event; the caller has set event->value_kind. Replaces the content of
 * *text by the summary, to which event->histogram then points. Returns 0, -ENOMEM, or -E2BIG if the summary is longer
 * than text->max. */
HF_MUST_USE int hf_aggregate_fill(const struct hf_aggregate *aggregate, struct hf_event *event, struct hf_buf *text);
/* Ends the window and begins the next one. */
void hf_aggregate_next(struct hf_aggregate *aggregate);
