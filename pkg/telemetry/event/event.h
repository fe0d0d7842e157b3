/* telemetry/event/event.h - one observation: a log line, a sensor's payload, a measured value, or a finding.
 *
 *     source --event--> pipeline --event--> text (one JSON line) --> outlet (spool, then sink)
 *
 * An event borrows everything (views into the source's buffers) and lives during the call that passes it on, so the hot
 * path allocates nothing. The spool stores the event's text, made once: exactly the line that the `json` and
 * `ndjson` sinks send, so that a repeated batch has the same bytes. Threads: any; no state. */
#pragma once

#include "api/telemetry.h"
#include "base/buf.h"

enum {
    HF_EVENT_MAX_ATTRIBUTES = 24,
    HF_EVENT_MAX_ID = 128,
    /* bytes of a body; hf_event_format() truncates longer log texts (and marks them) and refuses longer payloads */
    HF_EVENT_MAX_BODY = 256 << 10,
    HF_EVENT_MAX_TEXT = 384 << 10, /* bytes of the whole line: it always fits a batch */
};

enum hf_event_kind { HF_EVENT_LOG, HF_EVENT_PAYLOAD, HF_EVENT_METRIC, HF_EVENT_FINDING, HF_EVENT_KINDS };
const char *hf_event_kind_name(enum hf_event_kind kind); /* "log", "payload", "metric", "finding" */

/* The kind of source that took the event in. Metrics and the spool's tags (16 bits) count by it. */
enum hf_source_class {
    HF_SOURCE_NONE,
#define CLASS(class, number, ...) HF_SOURCE_##class = number,
    HF_TELEMETRY_SOURCES(CLASS)
#undef CLASS
    /* the agent itself: counts of dropped and suppressed events, audits */
    HF_SOURCE_AGENT = HF_TELEMETRY_AGENT_CLASS,
#define ONE(class, number, ...) +1
    HF_SOURCE_ROWS = 0 HF_TELEMETRY_SOURCES(ONE), /* number of sources that a policy can have */
#undef ONE
    HF_SOURCE_CLASSES = HF_SOURCE_ROWS + 2, /* number of classes, with HF_SOURCE_NONE and HF_SOURCE_AGENT */
};
#define BIT(class, number, ...) | 1u << (number)
_Static_assert((1u | 1u << HF_SOURCE_AGENT HF_TELEMETRY_SOURCES(BIT)) == (1u << HF_SOURCE_CLASSES) - 1,
               "the numbers of the classes are distinct and without gaps");
#undef BIT
const char *hf_event_class_name(enum hf_source_class source_class); /* "http", "journald", ... */
/* Returns the class named before the first ':' of an event's source; HF_SOURCE_HTTP for unknown names. */
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
    uint64_t unix_ns;          /* time of the observation */
    /* unique id, and the same one if the source reads the same data again; empty: hf_fanout_store() makes one */
    struct hf_view id;
    struct hf_view source;    /* "journald:edge-inference.service", "file:/var/log/x", "http", "node" */
    struct hf_view origin;    /* node that observed it, if another agent forwarded it; empty: this node */
    uint64_t origin_sequence; /* sequence number at the origin (entry of a vector clock); 0: none */
    /* state-like payloads: the newest version of a key wins at the receiver; empty: none */
    struct hf_view key;
    struct hf_view body; /* log, finding: text; payload: a JSON value as received, byte for byte */
    /* payload: hex SHA-256 of the body as received; empty: the sender gave none */
    struct hf_view checksum;
    struct hf_view boundary; /* compliance boundary; empty: none */
    enum hf_value_kind value_kind;
    struct hf_view name; /* name of a metric or finding, in Prometheus spelling */
    /* gauge: the value. Counter: the sum so far if raw, the increase in the window if aggregated. Histogram: one
     * observation if raw */
    double value;
    /* aggregated values, gauges too: JSON text (telemetry/pipeline/aggregate.h) */
    struct hf_view histogram;
    uint64_t window_ns; /* length of the window that ended at unix_ns; 0: a raw value */
    bool anomaly;       /* marked as an anomaly: stays raw and leaves before other events */
    bool truncated;
    struct hf_attribute attributes[HF_EVENT_MAX_ATTRIBUTES];
    size_t n_attributes;
};

/* Appends one JSON object without any line break:
 *
 *     {"id":..,"time":"2026-11-20T11:16:38.123456789Z","node":..,"source":..,
 *      "kind":"log|payload|metric|finding","severity":"warning","severityNumber":14 (only if the number has no name),
 *      "origin":..,"originSequence":N,"key":..,"boundary":..,"anomaly":true,"name":..,
 *      "type":"gauge|counter|histogram","value":1.5,"valueText":"NaN|+Inf|-Inf","windowNs":N,
 *      "histogram":{..} (gauges: "summary"),"attributes":{..},
 *      "body":"text","truncated":true   or   "checksum":"hex","sensorData":<JSON value>,"sensorDataBreaks":[12,-40]}
 *
 * The fields come in this order and absent ones are left out, so the same event gives the same text. A payload's
 * body stands byte for byte under "sensorData" (the name in sink format `seed`), except that blanks replace the line
 * breaks between its tokens: "sensorDataBreaks" lists them (LF at 12, CR at 40), and hf_event_parse() restores them,
 * so that the checksum stays valid. The caller has checked that the body is valid JSON; an empty one becomes null.
 * Other kinds have their text under "body": U+FFFD replaces invalid UTF-8, and the text ends at HF_EVENT_MAX_BODY
 * and where the line would pass HF_EVENT_MAX_TEXT. A value that is not finite becomes null, with its Prometheus
 * spelling under "valueText".
 * -E2BIG: the line would still pass HF_EVENT_MAX_TEXT (or out->max); *out is unchanged. */
HF_MUST_USE int hf_event_format(const struct hf_event *event, const char *node, struct hf_buf *out);

/* Parses a line of hf_event_format(): for sinks of other formats, and for events that another agent forwards. Views
 * point into `text` where possible, else into *scratch (cleared first; it grows at most once, to text.n). *ret_node is
 * the line's "node". Accepts fields in any order, blanks between them, and unknown fields. The source's name gives the
 * class (HTTP if unknown). -EBADMSG: not an object of strict JSON (codec/scan.h); a repeated field or one of another
 * type; no time or kind; a "body" in a payload or "sensorData" in another kind; too many attributes. -E2BIG: longer
 * than HF_EVENT_MAX_TEXT, or scratch->max is below text.n. -ENOMEM. After an error the outputs are undefined. */
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

/* The tag by which the spool counts dropped records. */
static inline uint32_t hf_event_tag(enum hf_source_class source_class, enum hf_severity severity)
{
    return (uint32_t)source_class << 16 | (uint32_t)severity;
}
