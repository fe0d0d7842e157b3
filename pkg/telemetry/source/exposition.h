/* SPDX-License-Identifier: Apache-2.0 */
/* Reads metrics in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), and OpenMetrics
 * as far as it agrees, with timestamps in seconds. Pure. */
#pragma once

#include "telemetry/event/event.h"

/* Why a line is skipped: unparsable, or no memory; too many labels; value NaN. */
enum hf_exposition_skip { HF_SKIP_LINE, HF_SKIP_LABELS, HF_SKIP_NAN, HF_SKIPS };

struct hf_exposition {
    struct hf_view rest;
    uint64_t unix_ns; /* time of values without a timestamp */
    /* The last "# TYPE" line, also for `name` with _bucket, _sum, _count, _total. */
    struct {
        struct hf_view name;
        enum hf_value_kind kind;
    } type;
    bool openmetrics;
    size_t skipped[HF_SKIPS];
};

/* Reads the next value. 1: *event is set, with views into text or *scratch (cleared); 0: the end. */
int hf_exposition_next(struct hf_exposition *text, struct hf_event *event, struct hf_buf *scratch);

/* Whether the text is OpenMetrics, by content type or `# EOF` at its end. */
bool hf_exposition_is_openmetrics(struct hf_view text, const char *content_type);
