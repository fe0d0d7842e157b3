/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/histogram.h - keeps the distribution of values in 1.3 KiB, in base-2 exponential buckets whose
 * resolution adapts to the values (OpenTelemetry metrics data model, "ExponentialHistogram").
 *
 * Bucket i at scale s holds values above 2^(i / 2^s) and up to 2^((i + 1) / 2^s). A histogram starts at the finest
 * scale. If the values would need more than HF_HISTOGRAM_BUCKETS buckets, the histogram merges adjacent buckets and so
 * lowers the scale.
 *
 * Pure; struct hf_histogram is a plain value that nobody has to free. */
#pragma once

#include "base/buf.h"

enum { HF_HISTOGRAM_BUCKETS = 160, HF_HISTOGRAM_MAX_SCALE = 20 };

struct hf_histogram_range {
    int32_t first; /* index of the bucket whose number of values is in counts[0] */
    uint32_t n;    /* number of items of `counts` in use */
    uint32_t counts[HF_HISTOGRAM_BUCKETS];
};

struct hf_histogram {
    int scale;
    uint64_t count, zeros;
    double sum, min, max;
    struct hf_histogram_range positive, negative;
};

void hf_histogram_clear(struct hf_histogram *histogram);
/* Counts a value, which must be finite. */
void hf_histogram_add(struct hf_histogram *histogram, double value);

/* Appends the histogram as one line of JSON, whose names have the same meaning as in OTLP:
 *
 *     {"count":3,"sum":6,"min":1,"max":3,"scale":6,"zeroCount":0,
 *      "positive":{"offset":-1,"counts":[1,0,2]},"negative":{...}}
 *
 * Omits min and max if count is 0, and omits "positive" or "negative" if that range has no buckets. On failure *out is
 * unchanged. */
HF_MUST_USE int hf_histogram_format(const struct hf_histogram *histogram, struct hf_buf *out);
