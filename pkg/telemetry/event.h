/* telemetry/event.h - one thing observed: a log line, a payload of a sensor, a measured value, a finding.
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

enum hf_event_kind { HF_EVENT_LOG, HF_EVENT_PAYLOAD, HF_EVENT_METRIC, HF_EVENT_FINDING };

/* Where it came in: counted and dropped by these (16 bits of the spool's tag). */
enum hf_source_class {
    HF_SOURCE_HTTP = 1,
    HF_SOURCE_JOURNALD,
    HF_SOURCE_FILE,
    HF_SOURCE_CONTAINER,
    HF_SOURCE_NODE,
    HF_SOURCE_SCRAPE,
    HF_SOURCE_SOCKET,
    HF_SOURCE_MQTT,
    HF_SOURCE_AGENT, /* our own: dropped counts, suppressed counts, audits */
    HF_SOURCE_CLASSES,
};
const char *hf_source_class_name(enum hf_source_class source_class); /* "http", "journald" ... */

enum hf_value_kind { HF_VALUE_NONE, HF_VALUE_GAUGE, HF_VALUE_COUNTER, HF_VALUE_HISTOGRAM };

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
    struct hf_view name;      /* metric's or finding's, Prometheus spelling */
    double value;             /* gauge, counter */
    struct hf_view histogram; /* JSON text of an aggregated one (telemetry/aggregate.h) */
    uint64_t window_ns;       /* aggregated over; 0: a raw value */
    bool anomaly;             /* passes raw and first */
    bool truncated;
    struct hf_attribute attributes[HF_EVENT_MAX_ATTRIBUTES];
    size_t n_attributes;
};

/* Append one JSON object, no line end: {"id":..,"time":"2026-..Z" (RFC 3339, ns),"node":..,"source":..,"kind":..,"severity":..,...}.
 * Fields in a fixed order, absent ones left out, so the same event is the same text. A payload's body is embedded byte for byte under
 * "sensorData" (the seed's name), a log's text under "body" (invalid UTF-8 replaced by U+FFFD). -E2BIG past HF_EVENT_MAX_TEXT. */
HF_MUST_USE int hf_event_format(const struct hf_event *event, const char *node, struct hf_buf *out);

/* Read back what hf_event_format() wrote, for sinks of other formats, and what another agent sends on. Views point into `text` where
 * they can, else into *scratch (cleared first). *ret_node: the "node" in the text. -EBADMSG. */
HF_MUST_USE int hf_event_parse(struct hf_view text, struct hf_event *ret_event, struct hf_view *ret_node,
                               struct hf_buf *scratch);

/* What the spool counts drops by. */
static inline uint32_t hf_event_tag(enum hf_source_class source_class, enum hf_severity severity)
{
    return (uint32_t)source_class << 16 | (uint32_t)severity;
}
