/* telemetry/source/exposition.h - parses the answers of Prometheus exporters: text format 0.0.4, and OpenMetrics as far
 * as it is the same. Pure.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/ : lines of `name{label="value",...} number [ms]` and "#
 * TYPE name type". */
#pragma once

#include "telemetry/event/event.h"

struct hf_exposition {
    struct hf_view rest;
    uint64_t unix_ns; /* time of samples without a timestamp */
    struct {
        struct hf_view name;
        enum hf_value_kind kind;
    } type;         /* the last "# TYPE", for the samples after it */
    size_t skipped; /* lines that do not parse, and NaN samples */
};

/* Returns 1 and a metric with name, labels and value in *event; 0 at the end. The views point into the text or
 * *scratch, which each sample clears. Skips and counts lines that do not parse. */
int hf_exposition_next(struct hf_exposition *text, struct hf_event *event, struct hf_buf *scratch);
