/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/exposition.h - parses the answers of Prometheus exporters in the text format 0.0.4. Also parses
 * OpenMetrics as far as OpenMetrics agrees with that format, with its timestamps in seconds. Pure.
 *
 * The text has lines of the forms `name{label="value",...} number [ms]` and `# TYPE name type`
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). */
#pragma once

#include "telemetry/event/event.h"

/* Why a line is no sample: it does not parse (or a name is in quotes), it has more than HF_EVENT_MAX_ATTRIBUTES labels,
 * or its value is NaN. */
enum hf_exposition_skip { HF_SKIP_LINE, HF_SKIP_LABELS, HF_SKIP_NAN, HF_SKIPS };

struct hf_exposition {
    struct hf_view rest; /* text that the next call reads; set it to the whole text before the first call */
    uint64_t unix_ns;    /* time for samples that have no timestamp */
    /* content of the last "# TYPE" line; the kind applies to the following samples whose name is `name`, alone or with
     * the ending _bucket, _sum, _count or _total */
    struct {
        struct hf_view name;
        enum hf_value_kind kind;
    } type;
    bool openmetrics;         /* true if timestamps count seconds; hf_exposition_is_openmetrics() */
    size_t skipped[HF_SKIPS]; /* numbers of skipped lines */
};

/* Reads the next sample. Returns 1 and sets *event to a metric with name, labels and value, or returns 0 at the end of
 * the text. The views of the event point into the text or into *scratch, which each call clears. Skips lines that are
 * no sample, and counts them in `skipped`. */
int hf_exposition_next(struct hf_exposition *text, struct hf_event *event, struct hf_buf *scratch);

/* Returns true if the text is OpenMetrics, which its content type says, or its last line `# EOF`. */
bool hf_exposition_is_openmetrics(struct hf_view text, const char *content_type);
