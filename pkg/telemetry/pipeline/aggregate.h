/* SPDX-License-Identifier: Apache-2.0 */
/* The values of one series in one window.
 *
 *   counter    value: the increase; a lower value is a reset and counts whole; a series' first value only starts.
 *              {"count","resets","last"}
 *   gauge      value: the last. {"count","sum","min","max","mean"}
 *   histogram  value: the sum. hf_histogram_format()
 *
 * Finite values only. Pure. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/pipeline/histogram.h"

struct hf_aggregate {
    uint64_t count;
    double last; /* maybe of an earlier window */
    double sum, min, max;
    double added;
    uint64_t resets;
    bool has_last;
    struct hf_histogram *histogram; /* owned; or NULL */
};

void hf_aggregate_done(struct hf_aggregate *aggregate);
/* -ENOMEM: unchanged. */
HF_MUST_USE int hf_aggregate_add(struct hf_aggregate *aggregate, enum hf_value_kind kind, double value);
/* Sets `value` and `histogram` (in *text, replaced), by event->value_kind. -E2BIG: text->max. */
HF_MUST_USE int hf_aggregate_fill(const struct hf_aggregate *aggregate, struct hf_event *event, struct hf_buf *text);
void hf_aggregate_next(struct hf_aggregate *aggregate);
