/* SPDX-License-Identifier: Apache-2.0 */
/* A histogram with base-2 exponential buckets (OpenTelemetry metrics data model, "ExponentialHistogram"). Pure. */
#pragma once

#include "base/buf.h"

enum { HF_HISTOGRAM_BUCKETS = 160, HF_HISTOGRAM_MAX_SCALE = 20 };

struct hf_histogram_range {
    int32_t first; /* index of counts[0] */
    uint32_t n;
    uint32_t counts[HF_HISTOGRAM_BUCKETS];
};

struct hf_histogram {
    int scale;
    uint64_t count, zeros;
    double sum, min, max;
    struct hf_histogram_range positive, negative;
};

void hf_histogram_clear(struct hf_histogram *histogram);
/* `value` must be finite. */
void hf_histogram_add(struct hf_histogram *histogram, double value);

/* Appends JSON with OTLP's meanings:
 *
 *     {"count":3,"sum":6,"min":1,"max":3,"scale":6,"zeroCount":0,
 *      "positive":{"offset":-1,"counts":[1,0,...]},"negative":{...}}
 *
 * No min and max if count is 0; no range without buckets. On failure *out is unchanged. */
HF_MUST_USE int hf_histogram_format(const struct hf_histogram *histogram, struct hf_buf *out);
