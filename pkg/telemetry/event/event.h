/* telemetry/event/event.h - one observation: a log line, a sensor's payload, a measured value, or a finding.
 *
 *     source --event--> pipeline --event--> text (one JSON line) --> outlet (spool, then sink)
 *
 * An event borrows everything (as views into the source's buffers) and is valid only during the call that passes it on,
 * so the hot path allocates nothing. hf_event_format() makes the event's text once, and the spool stores that text. The
 * sink formats `json` and `ndjson` send exactly this line, so a repeated batch has the same bytes. Threads: any; no
 * state. */
#pragma once

#include "api/telemetry.h"
#include "base/buf.h"

enum {
    HF_EVENT_MAX_ATTRIBUTES = 24,
    HF_EVENT_MAX_ID = 128,
    /* bytes of a body; hf_event_format() truncates longer texts of logs, marks them as truncated, and refuses longer
     * payloads */
    HF_EVENT_MAX_BODY = 256 << 10,
    HF_EVENT_MAX_TEXT = 384 << 10, /* bytes of the whole line; any line fits a batch */
};

enum hf_event_kind { HF_EVENT_LOG, HF_EVENT_PAYLOAD, HF_EVENT_METRIC, HF_EVENT_FINDING, HF_EVENT_KINDS };
const char *hf_event_kind_name(enum hf_event_kind kind); /* "log", "payload", "metric", "finding" */

/* The kind of source that took the event in. Metrics, and the tags by which the spool counts drops, contain it; a tag
 * has 16 bits for it. */
enum hf_source_class {
    HF_SOURCE_NONE,
#define CLASS(class, number, ...) HF_SOURCE_##class = number,
    HF_TELEMETRY_SOURCES(CLASS)
#undef CLASS
    /* the agent itself; its events are counts of dropped and suppressed events, and audits */
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
/* Returns the class whose name stands before the first ':' of an event's source, or HF_SOURCE_HTTP if the name is
 * unknown. */
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
    /* unique id; a source that reads data again gives each event the id that it had before; empty: hf_fanout_store()
     * makes an id */
    struct hf_view id;
    struct hf_view source; /* "journald:edge-inference.service", "file:/var/log/x", "http", "node" */
    struct hf_view origin; /* node that observed the event, if another agent forwarded it; empty: this node */
    /* user id, in decimal digits, of the process that posted the event to /ingest, and its systemd unit. The agent asks
     * the kernel for both, so the process cannot choose them. Empty: the event was not posted, or the kernel did not
     * answer */
    struct hf_view peer_uid, peer_unit;
    uint64_t origin_sequence; /* sequence at the origin, an entry of a vector clock (0 means none) */
    /* key of a payload that replaces earlier ones, like a state: the receiver keeps the newest version of each key;
     * empty: none */
    struct hf_view key;
    struct hf_view body; /* log, finding: text; payload: JSON as received, byte for byte */
    /* payload: hex SHA-256 of the body as received; empty: the sender sent no checksum */
    struct hf_view checksum;
    struct hf_view boundary; /* compliance boundary; empty: none */
    enum hf_value_kind value_kind;
    struct hf_view name; /* name of a metric or finding, in Prometheus spelling */
    /* gauge: the value. Counter: the sum so far if raw, the increase within the window if aggregated. Histogram: one
     * observation if raw, the sum of the observations if aggregated */
    double value;
    /* JSON text that describes an aggregated value of any kind (telemetry/pipeline/aggregate.h); empty: none */
    struct hf_view histogram;
    uint64_t window_ns; /* length of the window that ended at unix_ns (0 means a raw value) */
    bool anomaly;       /* part of an anomaly: stays raw and leaves before other events */
    bool truncated;
    struct hf_attribute attributes[HF_EVENT_MAX_ATTRIBUTES];
    size_t n_attributes;
};

/* Appends one JSON object without any line break:
 *
 *     {"id":..,"time":"2026-11-20T11:16:38.123456789Z","node":..,"source":..,
 *      "kind":"log|payload|metric|finding","severity":"warning","severityNumber":14 (only if the number has no name),
 *      "origin":..,"originSequence":N,"peerUid":N,"peerUnit":..,"key":..,"boundary":..,"anomaly":true,"name":..,
 *      "type":"gauge|counter|histogram","value":1.5,"valueText":"NaN|+Inf|-Inf","windowNs":N,
 *      "histogram":{..} (gauges: "summary"),"attributes":{..},
 *      "body":"text","truncated":true   or   "checksum":"hex","sensorData":<JSON value>,"sensorDataBreaks":[12,-40]}
 *
 * The fields come in this order, without absent fields, so equal events give equal text. A payload's body stands byte
 * for byte under "sensorData" (the name that sink format `seed` uses), except that blanks replace the line breaks
 * between its tokens. "sensorDataBreaks" lists these line breaks (in the example LF at 12 and CR at 40), and
 * hf_event_parse() restores them, so that the checksum stays valid. The caller must have checked that the body is valid
 * JSON; an empty body becomes null. Events of other kinds have their text under "body". There U+FFFD replaces invalid
 * UTF-8, and the text ends at HF_EVENT_MAX_BODY, or earlier if the line would otherwise be longer than
 * HF_EVENT_MAX_TEXT. A value that is not finite becomes null, with its Prometheus spelling under "valueText". -E2BIG:
 * even then the line would be longer than HF_EVENT_MAX_TEXT or out->max; *out is unchanged. */
HF_MUST_USE int hf_event_format(const struct hf_event *event, const char *node, struct hf_buf *out);

/* Parses a line of hf_event_format(). Used for sinks of other formats, and for events that another agent forwards.
 * Clears *scratch, which grows at most once, to text.n. The views of the event point into `text` where possible,
 * otherwise into *scratch. *ret_node is the line's "node". Accepts fields in any order, blanks between them, and
 * unknown fields. The source's name gives the class (hf_event_class_of()). Errors: -EBADMSG if `text` is not an object
 * of strict JSON (codec/scan.h), repeats a field, has a field of the wrong type, lacks time or kind, has a "body" in a
 * payload or "sensorData" in an event of another kind, or has too many attributes; -E2BIG if `text` is longer than
 * HF_EVENT_MAX_TEXT or scratch->max; -ENOMEM. After an error the outputs are undefined. */
HF_MUST_USE int hf_event_parse(struct hf_view text, struct hf_event *ret_event, struct hf_view *ret_node,
                               struct hf_buf *scratch);

/* True if an attribute before attributes[i] has the name of attributes[i]. Of attributes with equal names, a line holds
 * only the first. */
static inline bool hf_event_repeats_attribute(const struct hf_event *event, size_t i)
{
    struct hf_view name = event->attributes[i].name;

    for (size_t k = 0; k < i; k++)
        if (event->attributes[k].name.n == name.n && memcmp(event->attributes[k].name.p, name.p, name.n) == 0)
            return true;
    return false;
}

/* Returns the tag by which the spool counts dropped records. */
static inline uint32_t hf_event_tag(enum hf_source_class source_class, enum hf_severity severity)
{
    return (uint32_t)source_class << 16 | (uint32_t)severity;
}
