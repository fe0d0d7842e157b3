/* telemetry/pipeline/histogram.h - a distribution in 1.3 KiB: base-2 exponential buckets whose resolution adapts (OpenTelemetry metrics data
 * model, "ExponentialHistogram").
 *
 * Bucket i of scale s holds what is above 2^(i / 2^s) and not above 2^((i + 1) / 2^s). It begins at the finest scale; when a value
 * would need more than HF_HISTOGRAM_BUCKETS of them, neighbours are merged and the scale goes down. Pure values; nothing to free. */
#pragma once

#include "base/buf.h"

enum { HF_HISTOGRAM_BUCKETS = 160, HF_HISTOGRAM_MAX_SCALE = 20, HF_HISTOGRAM_MIN_SCALE = -10 };

struct hf_histogram_range {
    int32_t first; /* index of counts[0] */
    uint32_t n;    /* buckets in use: 0 none */
    uint32_t counts[HF_HISTOGRAM_BUCKETS];
};

struct hf_histogram {
    int scale;
    uint64_t count, zeros;
    double sum, min, max;
    struct hf_histogram_range positive, negative;
};

void hf_histogram_clear(struct hf_histogram *histogram);
void hf_histogram_add(struct hf_histogram *histogram, double value); /* finite */

/* {"count":3,"sum":6,"min":1,"max":3,"scale":6,"zeroCount":0,"positive":{"offset":-1,"counts":[1,0,2]},"negative":{...}}; min and
 * max only when count > 0, ranges only when used. Names and meaning as in OTLP. Appended. */
HF_MUST_USE int hf_histogram_format(const struct hf_histogram *histogram, struct hf_buf *out);
