/* SPDX-License-Identifier: Apache-2.0 */
/* Summarizes the values of one series within one window.
 *
 *   counter    value: the increase; a lower value is a reset and counts whole; the first value of a series only starts.
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
    double last; /* of the series, maybe an earlier window */
    double sum, min, max;
    double added;
    uint64_t resets;
    bool has_last;
    struct hf_histogram *histogram; /* owned; NULL: no observation */
};

void hf_aggregate_done(struct hf_aggregate *aggregate);
/* -ENOMEM: unchanged. */
HF_MUST_USE int hf_aggregate_add(struct hf_aggregate *aggregate, enum hf_value_kind kind, double value);
/* `value` and `histogram` (in *text, replaced); value_kind is set. -ENOMEM; -E2BIG: text->max. */
HF_MUST_USE int hf_aggregate_fill(const struct hf_aggregate *aggregate, struct hf_event *event, struct hf_buf *text);
void hf_aggregate_next(struct hf_aggregate *aggregate);
