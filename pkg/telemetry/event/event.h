/* SPDX-License-Identifier: Apache-2.0 */
/* A log line, a sensor's payload, a measured value, or a finding.
 *
 *     source --event--> pipeline --event--> text (one JSON line) --> outlet (spool, then sink)
 *
 * Views are borrowed: an event is valid only during the call that receives it. Its line is made once and stored; the
 * formats `json` and `ndjson` send it unchanged. Threads: any. */
#pragma once

#include <string.h>

#include "api/telemetry.h"
#include "base/buf.h"

enum {
    HF_EVENT_MAX_ATTRIBUTES = 24,
    HF_EVENT_MAX_ID = 128,
    /* bytes; longer logs are cut, longer payloads refused */
    HF_EVENT_MAX_BODY = 256 << 10,
    HF_EVENT_MAX_TEXT = 384 << 10,
};

enum hf_event_kind { HF_EVENT_LOG, HF_EVENT_PAYLOAD, HF_EVENT_METRIC, HF_EVENT_FINDING, HF_EVENT_KINDS };
const char *hf_event_kind_name(enum hf_event_kind kind);

enum hf_source_class {
    HF_SOURCE_NONE,
#define CLASS(class, number, ...) HF_SOURCE_##class = number,
    HF_TELEMETRY_SOURCES(CLASS)
#undef CLASS
    /* findings, counts, reports of drops and refusals */
    HF_SOURCE_AGENT = HF_TELEMETRY_AGENT_CLASS,
#define ONE(class, number, ...) +1
    HF_SOURCE_ROWS = 0 HF_TELEMETRY_SOURCES(ONE),
#undef ONE
    HF_SOURCE_CLASSES = HF_SOURCE_ROWS + 2,
};
#define BIT(class, number, ...) | 1u << (number)
_Static_assert((1u | 1u << HF_SOURCE_AGENT HF_TELEMETRY_SOURCES(BIT)) == (1u << HF_SOURCE_CLASSES) - 1,
               "the numbers of the classes are distinct and without gaps");
#undef BIT
const char *hf_event_class_name(enum hf_source_class source_class);
/* Returns the class that `source` names before its first ':', or HF_SOURCE_HTTP. */
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
    struct hf_view id;     /* unique, the same when read again; if "", hf_fanout_store() makes an id */
    struct hf_view source; /* "journald:edge-inference.service", "file:/var/log/x", "http", "node" */
    struct hf_view origin; /* the node that observed a forwarded event */
    /* User id (decimal) and systemd unit of the posting process, from the kernel; or empty. */
    struct hf_view peer_uid, peer_unit;
    /* Rises with each event of a node. hf_fanout_store() sets it, unless a forwarded event has a sequence. */
    uint64_t origin_sequence;
    struct hf_view key;      /* names a state, of which only the newest payload counts */
    struct hf_view body;     /* text, or a payload's JSON as received */
    struct hf_view checksum; /* hex SHA-256 as received, or empty */
    struct hf_view boundary;
    enum hf_value_kind value_kind;
    struct hf_view name;
    /* A counter's total, or its increase in a window; a histogram's observation, or its sum in a window. */
    double value;
    struct hf_view histogram; /* JSON (pipeline/aggregate.h), or empty */
    uint64_t window_ns;       /* the window ends at unix_ns; 0: not aggregated */
    bool anomaly;             /* sent as a single event, and first */
    bool truncated;           /* the end of `body` was cut off */
    /* The pipeline made the event from values of `owner`. The line has neither member. */
    bool derived;
    uint64_t owner;
    struct hf_attribute attributes[HF_EVENT_MAX_ATTRIBUTES];
    size_t n_attributes;
};

/* Appends the event as one line of JSON (fields: event.c). The caller has checked that a payload's body is JSON.
 * -E2BIG: too long. After an error *out is unchanged. */
HF_MUST_USE int hf_event_format(const struct hf_event *event, const char *node, struct hf_buf *out);

/* Parses a line. Views point into `text` or *scratch, which is cleared. -EBADMSG: not strict JSON (codec/scan.h), or
 * not an event. After an error outputs are undefined. */
HF_MUST_USE int hf_event_parse(struct hf_view text, struct hf_event *ret_event, struct hf_view *ret_node,
                               struct hf_buf *scratch);

/* Who wrote an event. Ids, keys, rates and series are kept apart by owner, so nobody can hide or use up what others
 * write. */
enum {
    HF_OWNER_AGENT,
    HF_OWNER_UNKNOWN, /* without user id, such as on another machine */
    HF_OWNER_UID,     /* plus the user id */
};
uint64_t hf_event_owner(const struct hf_event *event);
uint64_t hf_event_owner_of_uid(struct hf_view peer_uid);

/* Whether an earlier attribute has the name of attribute i; lines leave i out then. */
static inline bool hf_event_repeats_attribute(const struct hf_event *event, size_t i)
{
    struct hf_view name = event->attributes[i].name;

    for (size_t k = 0; k < i; k++)
        if (event->attributes[k].name.n == name.n && memcmp(event->attributes[k].name.p, name.p, name.n) == 0)
            return true;
    return false;
}

static inline uint32_t hf_event_tag(enum hf_source_class source_class, enum hf_severity severity)
{
    return (uint32_t)source_class << 16 | (uint32_t)severity;
}
