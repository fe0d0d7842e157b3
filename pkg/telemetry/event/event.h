/* SPDX-License-Identifier: Apache-2.0 */
/* One observation: a log line, a sensor's payload, a measured value, or a finding.
 *
 *     source --event--> pipeline --event--> text (one JSON line) --> outlet (spool, then sink)
 *
 * Views point into the source's buffers: an event is valid only during the call that receives it. Its line is made once
 * and stored; `json` and `ndjson` send it unchanged. Threads: any. */
#pragma once

#include "api/telemetry.h"
#include "base/buf.h"

enum {
    HF_EVENT_MAX_ATTRIBUTES = 24,
    HF_EVENT_MAX_ID = 128,
    /* bytes; a longer log is cut and marked, a payload refused */
    HF_EVENT_MAX_BODY = 256 << 10,
    /* bytes of a line; a batch may hold one even beyond its own limit */
    HF_EVENT_MAX_TEXT = 384 << 10,
};

enum hf_event_kind { HF_EVENT_LOG, HF_EVENT_PAYLOAD, HF_EVENT_METRIC, HF_EVENT_FINDING, HF_EVENT_KINDS };
const char *hf_event_kind_name(enum hf_event_kind kind);

/* Metric label, and 16 bits of the tag by which the spool counts drops. */
enum hf_source_class {
    HF_SOURCE_NONE,
#define CLASS(class, number, ...) HF_SOURCE_##class = number,
    HF_TELEMETRY_SOURCES(CLASS)
#undef CLASS
    /* drops and suppressions, findings, reports of refused events */
    HF_SOURCE_AGENT = HF_TELEMETRY_AGENT_CLASS,
#define ONE(class, number, ...) +1
    HF_SOURCE_ROWS = 0 HF_TELEMETRY_SOURCES(ONE), /* a policy's classes */
#undef ONE
    HF_SOURCE_CLASSES = HF_SOURCE_ROWS + 2, /* with NONE and AGENT */
};
#define BIT(class, number, ...) | 1u << (number)
_Static_assert((1u | 1u << HF_SOURCE_AGENT HF_TELEMETRY_SOURCES(BIT)) == (1u << HF_SOURCE_CLASSES) - 1,
               "the numbers of the classes are distinct and without gaps");
#undef BIT
const char *hf_event_class_name(enum hf_source_class source_class);
/* The class whose name is before the first ':'; HF_SOURCE_HTTP if no class has that name. */
enum hf_source_class hf_event_class_of(struct hf_view source);

enum hf_value_kind { HF_VALUE_NONE, HF_VALUE_GAUGE, HF_VALUE_COUNTER, HF_VALUE_HISTOGRAM, HF_VALUE_KINDS };
const char *hf_event_value_kind_name(enum hf_value_kind kind);

struct hf_attribute {
    struct hf_view name;
    struct hf_view value;
};

struct hf_event {
    enum hf_event_kind kind;
    enum hf_source_class source_class;
    enum hf_severity severity;
    uint64_t unix_ns;
    struct hf_view id;     /* unique, the same if read again; "": by hf_fanout_store() */
    struct hf_view source; /* "journald:edge-inference.service", "file:/var/log/x", "http", "node" */
    struct hf_view origin; /* forwarded: the observing node */
    /* User id (decimal) and systemd unit of the posting process, from the kernel: it cannot choose them. Or empty. */
    struct hf_view peer_uid, peer_unit;
    /* Rises per node; 0: none. By hf_fanout_store() if 0 or without `origin`. */
    uint64_t origin_sequence;
    struct hf_view key;      /* a state's payload: the newest counts */
    struct hf_view body;     /* text, or JSON byte for byte as received */
    struct hf_view checksum; /* hex SHA-256 as received, or empty */
    struct hf_view boundary;
    enum hf_value_kind value_kind;
    struct hf_view name; /* in Prometheus' characters */
    /* Counter: total, or a window's increase. Histogram: an observation, or the sum. */
    double value;
    struct hf_view histogram; /* JSON (pipeline/aggregate.h), or empty */
    uint64_t window_ns;       /* that ended at unix_ns; 0: raw */
    bool anomaly;             /* raw, and sent first */
    bool truncated;           /* body without its end */
    /* The pipeline made it from the values of `owner` (or HF_OWNER_AGENT). Not in the line. */
    bool derived;
    uint64_t owner;
    struct hf_attribute attributes[HF_EVENT_MAX_ATTRIBUTES];
    size_t n_attributes;
};

/* Appends one JSON object without line breaks:
 *
 *     {"id":..,"time":"2026-11-20T11:16:38.123456789Z","node":..,"source":..,
 *      "kind":"log|payload|metric|finding","severity":"warning","severityNumber":14 (only if the number has no name),
 *      "origin":..,"originSequence":N,"peerUid":N,"peerUnit":..,"key":..,"boundary":..,"anomaly":true,"name":..,
 *      "type":"gauge|counter|histogram","value":1.5,"valueText":"NaN|+Inf|-Inf","windowNs":N,
 *      "histogram":{..} (gauges: "summary"),"attributes":{..},
 *      "body":"text","truncated":true   or   "checksum":"hex","sensorData":<JSON value>,"sensorDataBreaks":[12,-40]}
 *
 * In this order, without absent fields: equal events give equal text. "sensorData" is the payload's body (the caller
 * has checked that it is JSON; empty becomes null) with blanks for line breaks between tokens; "sensorDataBreaks" lists
 * those (LF at 12, CR at 40), so that hf_event_parse() restores the bytes of the checksum. In "body" U+FFFD replaces
 * invalid UTF-8; it is cut at HF_EVENT_MAX_BODY and to fit HF_EVENT_MAX_TEXT. A value that is not finite becomes null
 * with "valueText". -E2BIG: a payload beyond HF_EVENT_MAX_BODY, or a line beyond HF_EVENT_MAX_TEXT (without text) or
 * out->max. After an error *out is unchanged. */
HF_MUST_USE int hf_event_format(const struct hf_event *event, const char *node, struct hf_buf *out);

/* Such a line, in any order, with unknown fields. Views into `text` or *scratch, which is cleared and grows once, by
 * text.n. -EBADMSG: not strict JSON (codec/scan.h), a repeated field or attribute, wrong type or form, no time or kind,
 * "body" in a payload or "sensorData" elsewhere, too many attributes. -E2BIG: HF_EVENT_MAX_TEXT, scratch->max. After an
 * error the outputs are undefined. */
HF_MUST_USE int hf_event_parse(struct hf_view text, struct hf_event *ret_event, struct hf_view *ret_node,
                               struct hf_buf *scratch);

/* Who may have written it. Nobody may hide, outdate or use up what others write: ids, keys, rates and series are
 * apart. */
enum {
    HF_OWNER_AGENT,
    HF_OWNER_UNKNOWN, /* user id unknown to the kernel, as on other machines */
    HF_OWNER_UID,     /* plus user id */
};
uint64_t hf_event_owner(const struct hf_event *event);
/* decimal */
uint64_t hf_event_owner_of_uid(struct hf_view peer_uid);

/* Attribute `i` repeats an earlier one's name: a line leaves it out. */
static inline bool hf_event_repeats_attribute(const struct hf_event *event, size_t i)
{
    struct hf_view name = event->attributes[i].name;

    for (size_t k = 0; k < i; k++)
        if (event->attributes[k].name.n == name.n && memcmp(event->attributes[k].name.p, name.p, name.n) == 0)
            return true;
    return false;
}

/* The tag by which the spool counts drops. */
static inline uint32_t hf_event_tag(enum hf_source_class source_class, enum hf_severity severity)
{
    return (uint32_t)source_class << 16 | (uint32_t)severity;
}
