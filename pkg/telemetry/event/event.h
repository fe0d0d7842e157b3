/* telemetry/event/event.h - one thing observed: a log line, a payload of a sensor, a measured value, a finding.
 *
 *     source --event--> pipeline --event--> text (one JSON line) --> outlet (spool, then sink)
 *
 * An event borrows everything (views into the source's buffers) and lives during the call that hands it on: the hot path
 * allocates nothing. What is spooled is its text, made once: exactly the line that the `json` and `ndjson` sinks send, so
 * that a batch sent again is the same bytes. Threads: any; no state. */
#pragma once

#include "api/telemetry.h"
#include "base/buf.h"

enum {
    HF_EVENT_MAX_ATTRIBUTES = 24,
    HF_EVENT_MAX_ID = 128,
    HF_EVENT_MAX_BODY = 256 << 10, /* bytes; longer log lines are cut and say so, longer payloads refused */
    HF_EVENT_MAX_TEXT = 384 << 10, /* of the whole line: always fits a batch */
};

enum hf_event_kind { HF_EVENT_LOG, HF_EVENT_PAYLOAD, HF_EVENT_METRIC, HF_EVENT_FINDING, HF_EVENT_KINDS };
const char *hf_event_kind_name(enum hf_event_kind kind); /* "log", "payload", "metric", "finding" */

/* Where it came in: counted and dropped by these (16 bits of the spool's tag). */
enum hf_source_class {
    HF_SOURCE_NONE,
#define CLASS(class, number, ...) HF_SOURCE_##class = number,
    HF_TELEMETRY_SOURCES(CLASS)
#undef CLASS
        HF_SOURCE_AGENT = HF_TELEMETRY_AGENT_CLASS, /* our own: dropped counts, suppressed counts, audits */
#define ONE(class, number, ...) +1
    HF_SOURCE_ROWS = 0 HF_TELEMETRY_SOURCES(ONE), /* sources that a policy can have */
#undef ONE
    HF_SOURCE_CLASSES = HF_SOURCE_ROWS + 2, /* with HF_SOURCE_NONE and HF_SOURCE_AGENT */
};
#define BIT(class, number, ...) | 1u << (number)
_Static_assert((1u | 1u << HF_SOURCE_AGENT HF_TELEMETRY_SOURCES(BIT)) == (1u << HF_SOURCE_CLASSES) - 1,
               "the numbers of the classes are distinct and without gaps");
#undef BIT
const char *hf_event_class_name(enum hf_source_class source_class); /* "http", "journald" ... */
/* Of a source's name: what is before its first ':' names the class. HTTP when nothing does. */
enum hf_source_class hf_event_class_of(struct hf_view source);

enum hf_value_kind { HF_VALUE_NONE, HF_VALUE_GAUGE, HF_VALUE_COUNTER, HF_VALUE_HISTOGRAM, HF_VALUE_KINDS };
const char *hf_event_value_kind_name(enum hf_value_kind kind); /* "", "gauge", "counter", "histogram" */

struct hf_attribute {
    struct hf_view name;
    struct hf_view value; /* text */
};

struct hf_event {
    enum hf_event_kind kind;
    enum hf_source_class source_class;
    enum hf_severity severity; /* 0 counts as info */
    uint64_t unix_ns;          /* when it happened */
    struct hf_view id; /* unique, and the same when the source reads the same thing again; empty: made when stored */
    struct hf_view source;    /* "journald:edge-inference.service", "file:/var/log/x", "http", "node" */
    struct hf_view origin;    /* node it came from when another agent sent it on; empty: this one */
    uint64_t origin_sequence; /* its number there (vector clock entry); 0 none */
    struct hf_view key;       /* state-like payloads: the newest of a key wins at the receiver; empty: none */
    struct hf_view body;      /* log, finding: text; payload: a JSON value as received, byte for byte */
    struct hf_view checksum;  /* payload: hex SHA-256 of body as received; empty: none was given */
    struct hf_view boundary;  /* compliance boundary; empty: none */
    enum hf_value_kind value_kind;
    struct hf_view name; /* metric's or finding's, Prometheus spelling */
    double
        value; /* gauge; counter: the sum so far when raw, what was added in the window when aggregated; histogram: one
                                 observation when raw */
    struct hf_view histogram; /* JSON text of what was aggregated, of gauges too (telemetry/pipeline/aggregate.h) */
    uint64_t window_ns;       /* aggregated over what ended at unix_ns; 0: a raw value */
    bool anomaly;             /* passes raw and first */
    bool truncated;
    struct hf_attribute attributes[HF_EVENT_MAX_ATTRIBUTES];
    size_t n_attributes;
};

/* Append one JSON object, no line end, never a line break inside:
 *
 *     {"id":..,"time":"2026-11-20T11:16:38.123456789Z","node":..,"source":..,"kind":"log|payload|metric|finding","severity":"warning",
 *      "severityNumber":14 (only between two names),"origin":..,"originSequence":N,"key":..,"boundary":..,"anomaly":true,"name":..,
 *      "type":"gauge|counter|histogram","value":1.5,"valueText":"NaN|+Inf|-Inf","windowNs":N,"histogram":{..} (gauges: "summary"),
 *      "attributes":{..},
 *      "body":"text","truncated":true   or   "checksum":"hex","sensorData":<the JSON value>,"sensorDataBreaks":[12,-40]}
 *
 * Fields in this order, absent ones left out, so the same event is the same text. A payload's body stands byte for byte under
 * "sensorData" (the seed's name), except that line breaks between its tokens are written as blanks: "sensorDataBreaks" says where (LF at
 * 12, CR at 40), and hf_event_parse() puts them back, so that the checksum stays true. It must be valid JSON (not looked at here);
 * an empty one is written as null. A log's text stands under "body", invalid UTF-8 replaced by U+FFFD, cut at HF_EVENT_MAX_BODY
 * and where the line would pass HF_EVENT_MAX_TEXT. A value that is not finite is null, with its name in Prometheus' spelling under
 * "valueText". -E2BIG: past HF_EVENT_MAX_TEXT (or out->max) all the same; *out is then as it was. */
HF_MUST_USE int hf_event_format(const struct hf_event *event, const char *node, struct hf_buf *out);

/* Read back what hf_event_format() wrote, for sinks of other formats, and what another agent sends on. Views point into `text` where
 * they can, else into *scratch (cleared first, grown at most once, to text.n). *ret_node: the "node" in the text. Any order of fields
 * and blanks between them; unknown fields are skipped. The source class is read off the source's name (HTTP for unknown ones).
 * -EBADMSG: no such object, or not strict JSON (codec/scan.h), a field twice, of another type, no time or kind, too many attributes.
 * -E2BIG: longer than HF_EVENT_MAX_TEXT, or scratch->max is below text.n. -ENOMEM. The ret_ are garbage then. */
HF_MUST_USE int hf_event_parse(struct hf_view text, struct hf_event *ret_event, struct hf_view *ret_node,
                               struct hf_buf *scratch);

/* True if the i-th attribute has the name of an earlier one: a line holds the first only. */
static inline bool hf_event_repeats_attribute(const struct hf_event *event, size_t i)
{
    struct hf_view name = event->attributes[i].name;

    for (size_t k = 0; k < i; k++)
        if (event->attributes[k].name.n == name.n && memcmp(event->attributes[k].name.p, name.p, name.n) == 0)
            return true;
    return false;
}

/* What the spool counts drops by. */
static inline uint32_t hf_event_tag(enum hf_source_class source_class, enum hf_severity severity)
{
    return (uint32_t)source_class << 16 | (uint32_t)severity;
}
