/* telemetry/source/exposition.h - reading what Prometheus exporters answer: text format 0.0.4, and OpenMetrics as far as it is the same. Pure.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/ : lines of `name{label="value",...} number [ms]`, "# TYPE name type". */
#pragma once

#include "telemetry/event/event.h"

struct hf_exposition {
    struct hf_view rest;
    uint64_t unix_ns; /* of samples that say no time */
    struct {
        struct hf_view name;
        enum hf_value_kind kind;
    } type;         /* the last "# TYPE", for what follows it */
    size_t skipped; /* lines that could not be read, or say nothing we keep */
};

/* 1 and a metric whose name, labels and value are in *event (views into the text, or *scratch: cleared first), 0 at the end. Lines that cannot be
 * read are passed over and counted. */
int hf_exposition_next(struct hf_exposition *text, struct hf_event *event, struct hf_buf *scratch);
