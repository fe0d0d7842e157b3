/* SPDX-License-Identifier: Apache-2.0 */
/* Sums up the values of one series in one window, as an event's `value` and `histogram`:
 *
 *   counter    the increase (a lower value is a reset and counts whole)   {"count","resets","last"}
 *   gauge      the last value                                             {"count","sum","min","max","mean"}
 *   histogram  the sum                                                    hf_histogram_format()
 *
 * Values must be finite. Pure. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/pipeline/histogram.h"

struct hf_aggregate {
    uint64_t count;
    double last; /* last value, maybe of an earlier window */
    double sum, min, max;
    double added;
    uint64_t resets;
    bool has_last;
    struct hf_histogram *histogram;
};

void hf_aggregate_done(struct hf_aggregate *aggregate);
HF_MUST_USE int hf_aggregate_add(struct hf_aggregate *aggregate, enum hf_value_kind kind, double value);
/* Sets `value` and `histogram`, with a view into *text, which is replaced. -E2BIG: text->max. */
HF_MUST_USE int hf_aggregate_fill(const struct hf_aggregate *aggregate, struct hf_event *event, struct hf_buf *text);
/* Begins the next window; a counter keeps its last value. */
void hf_aggregate_next(struct hf_aggregate *aggregate);
