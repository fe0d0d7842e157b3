/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/event.h - one observation: a log line, a sensor's payload, a measured value, or a finding.
 *
 *     source --event--> pipeline --event--> text (one JSON line) --> outlet (spool, then sink)
 *
 * The texts of an event are views into the source's buffers, so an event is valid only during the call that receives
 * it, and the hot path allocates no memory. hf_event_format() makes the event's text once, and the spool stores this
 * text. The sink formats `json` and `ndjson` send exactly this text, so a repeated batch has the same bytes. Threads:
 * any; no state. */
#pragma once

#include "api/telemetry.h"
#include "base/buf.h"

enum {
    HF_EVENT_MAX_ATTRIBUTES = 24,
    HF_EVENT_MAX_ID = 128,
    /* maximum size of a body in bytes; hf_event_format() truncates and marks a longer text of a log, and refuses a
     * longer payload */
    HF_EVENT_MAX_BODY = 256 << 10,
    /* maximum size of an event's line in bytes; a batch may hold one such line even if the line exceeds the batch's
     * limit */
    HF_EVENT_MAX_TEXT = 384 << 10,
};

enum hf_event_kind { HF_EVENT_LOG, HF_EVENT_PAYLOAD, HF_EVENT_METRIC, HF_EVENT_FINDING, HF_EVENT_KINDS };
const char *hf_event_kind_name(enum hf_event_kind kind); /* Returns "log", "payload", "metric" or "finding". */

/* The class of the source that an event came from. The class is a label of metrics, and part of the tags by which the
 * spool counts dropped records; a tag has 16 bits for the class. */
enum hf_source_class {
    HF_SOURCE_NONE,
#define CLASS(class, number, ...) HF_SOURCE_##class = number,
    HF_TELEMETRY_SOURCES(CLASS)
#undef CLASS
    /* the agent itself: counts of dropped and suppressed events, findings about anomalies, and reports of refused
     * events */
    HF_SOURCE_AGENT = HF_TELEMETRY_AGENT_CLASS,
#define ONE(class, number, ...) +1
    HF_SOURCE_ROWS = 0 HF_TELEMETRY_SOURCES(ONE), /* number of classes of sources that a policy can have */
#undef ONE
    HF_SOURCE_CLASSES = HF_SOURCE_ROWS + 2, /* number of classes, including HF_SOURCE_NONE and HF_SOURCE_AGENT */
};
#define BIT(class, number, ...) | 1u << (number)
_Static_assert((1u | 1u << HF_SOURCE_AGENT HF_TELEMETRY_SOURCES(BIT)) == (1u << HF_SOURCE_CLASSES) - 1,
               "the numbers of the classes are distinct and without gaps");
#undef BIT
/* Returns the name of the class, such as "http" or "journald". */
const char *hf_event_class_name(enum hf_source_class source_class);
/* Returns the class that `source` (the field of an event) names. The name of the class is the text before the first
 * ':', or the whole text if it has no ':'. Returns HF_SOURCE_HTTP if no class has this name. */
enum hf_source_class hf_event_class_of(struct hf_view source);

enum hf_value_kind { HF_VALUE_NONE, HF_VALUE_GAUGE, HF_VALUE_COUNTER, HF_VALUE_HISTOGRAM, HF_VALUE_KINDS };
/* Returns "" for HF_VALUE_NONE, "gauge", "counter" or "histogram". */
const char *hf_event_value_kind_name(enum hf_value_kind kind);

struct hf_attribute {
    struct hf_view name;
    struct hf_view value; /* value of the attribute, as text */
};

struct hf_event {
    enum hf_event_kind kind;
    enum hf_source_class source_class;
    enum hf_severity severity; /* severity of the event (0 counts as info) */
    uint64_t unix_ns;          /* Unix time of the observation */
    /* unique id of the event, or empty if hf_fanout_store() must make the id; a source that reads data again gives each
     * event the id that the event had before */
    struct hf_view id;
    /* name of the source, such as "journald:edge-inference.service", "file:/var/log/x", "http" or "node" */
    struct hf_view source;
    /* node that observed the event, if another agent forwarded the event; empty if this node observed it */
    struct hf_view origin;
    /* `peer_uid` is the user id, in decimal digits, of the process that posted the event to /ingest; `peer_unit` is the
     * systemd unit of that process. The agent asks the kernel for both values, so the process cannot choose them. Empty
     * if nobody posted the event, or if the kernel did not answer. */
    struct hf_view peer_uid, peer_unit;
    /* number that is higher in each later event of a node, so that two events of the same node have an order; 0 means
     * none. hf_fanout_store() sets this number if it is 0 or if `origin` is empty. */
    uint64_t origin_sequence;
    /* key of a payload that describes a state: the receiver keeps only the newest payload of each key; empty if the
     * payload has no key */
    struct hf_view key;
    struct hf_view body; /* text of a log or finding, or JSON of a payload, byte for byte as received */
    /* hex SHA-256 of a payload's body as received; empty if the sender sent no checksum */
    struct hf_view checksum;
    struct hf_view boundary; /* compliance boundary of the event; empty if it has none */
    enum hf_value_kind value_kind;
    struct hf_view name; /* name of a metric or finding, with the characters that Prometheus allows */
    /* For a gauge, the value. For a counter, the total if the event is raw, or the increase within the window if it is
     * aggregated. For a histogram, one observation if the event is raw, or the sum of the observations if it is
     * aggregated. */
    double value;
    /* JSON text that summarizes an aggregated value of any kind (telemetry/pipeline/aggregate.h); empty if the value is
     * raw */
    struct hf_view histogram;
    uint64_t window_ns; /* length of the aggregated window, which ended at unix_ns (0 means that the value is raw) */
    bool anomaly; /* true if the event is part of an anomaly; such an event stays raw and is sent before other events */
    bool truncated; /* true if the body lacks the end of the original text */
    /* true if the pipeline made the event of others; `owner` is then the owner of the values that it is made of, or
     * HF_OWNER_AGENT. Not part of the line. */
    bool derived;
    uint64_t owner;
    struct hf_attribute attributes[HF_EVENT_MAX_ATTRIBUTES];
    size_t n_attributes;
};

/* Appends the event's line to *out. The line is one JSON object without any line break:
 *
 *     {"id":..,"time":"2026-11-20T11:16:38.123456789Z","node":..,"source":..,
 *      "kind":"log|payload|metric|finding","severity":"warning","severityNumber":14 (only if the number has no name),
 *      "origin":..,"originSequence":N,"peerUid":N,"peerUnit":..,"key":..,"boundary":..,"anomaly":true,"name":..,
 *      "type":"gauge|counter|histogram","value":1.5,"valueText":"NaN|+Inf|-Inf","windowNs":N,
 *      "histogram":{..} (gauges: "summary"),"attributes":{..},
 *      "body":"text","truncated":true   or   "checksum":"hex","sensorData":<JSON value>,"sensorDataBreaks":[12,-40]}
 *
 * The fields come in this order, and absent fields are left out, so equal events give equal text. "sensorData" (the
 * name that sink format `seed` uses) holds the body of a payload byte for byte, except that blanks replace the line
 * breaks between the tokens of the body. "sensorDataBreaks" lists these line breaks (in the example LF at 12 and CR at
 * 40), and hf_event_parse() restores them, so that the checksum stays valid. The caller must have checked that the body
 * is valid JSON; an empty body becomes null. In events of other kinds, "body" holds the text. In this text U+FFFD
 * replaces invalid UTF-8, and the text ends at HF_EVENT_MAX_BODY bytes, or earlier if the line would otherwise be
 * longer than HF_EVENT_MAX_TEXT. A value that is not finite becomes null, and "valueText" then holds its Prometheus
 * spelling. Returns 0, -ENOMEM or -E2BIG. -E2BIG: the body of a payload is longer than HF_EVENT_MAX_BODY, the line
 * would be longer than HF_EVENT_MAX_TEXT even without a text, or the line would be longer than out->max. After an error
 * *out is unchanged. */
HF_MUST_USE int hf_event_format(const struct hf_event *event, const char *node, struct hf_buf *out);

/* Parses a line that hf_event_format() made. This function is for sinks that need another format, and for events that
 * another agent forwards. Clears *scratch; if it needs *scratch for decoded texts, it reserves text.n bytes there,
 * once. The views of the event point into `text` where possible, otherwise into *scratch. *ret_node is the line's
 * "node". Accepts fields in any order, blanks between them, and unknown fields. hf_event_class_of() derives the event's
 * class from its source. Errors: -EBADMSG if `text` is not an object of strict JSON (codec/scan.h), repeats a field or
 * an attribute, has a field whose value has the wrong type or form, lacks time or kind, has a "body" in a payload or
 * "sensorData" in an event of another kind, or has too many attributes; -E2BIG if `text` is longer than
 * HF_EVENT_MAX_TEXT or scratch->max; -ENOMEM. After an error the outputs are undefined. */
HF_MUST_USE int hf_event_parse(struct hf_view text, struct hf_event *ret_event, struct hf_view *ret_node,
                               struct hf_buf *scratch);

/* The owner of an event: who may have written it. What one owner posts must not hide, outdate or use up what another
 * one writes, so ids, keys, rates and series count for each owner alone. */
enum {
    HF_OWNER_AGENT,   /* one of the agent's own sources */
    HF_OWNER_UNKNOWN, /* all senders together whose user id the kernel does not tell, as on other machines */
    HF_OWNER_UID,     /* plus the user id of the sender */
};
uint64_t hf_event_owner(const struct hf_event *event);
/* Returns the owner of what the user with this id, in decimal digits, posts. */
uint64_t hf_event_owner_of_uid(struct hf_view peer_uid);

/* Returns true if an earlier attribute of the event has the same name as attributes[i]. If several attributes have the
 * same name, a line holds only the first of them. */
static inline bool hf_event_repeats_attribute(const struct hf_event *event, size_t i)
{
    struct hf_view name = event->attributes[i].name;

    for (size_t k = 0; k < i; k++)
        if (event->attributes[k].name.n == name.n && memcmp(event->attributes[k].name.p, name.p, name.n) == 0)
            return true;
    return false;
}

/* Returns the tag under which the spool counts dropped records of this class and severity. */
static inline uint32_t hf_event_tag(enum hf_source_class source_class, enum hf_severity severity)
{
    return (uint32_t)source_class << 16 | (uint32_t)severity;
}
