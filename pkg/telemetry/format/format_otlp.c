/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP/HTTP (opentelemetry.io/docs/specs/otlp): logs, findings and payloads become LogRecords; metrics become Gauge,
 * Sum and ExponentialHistogram. Field numbers come from opentelemetry-proto v1 (logs.proto, metrics.proto,
 * common.proto, resource.proto).
 *
 *   Export*ServiceRequest {
 *     resource_* = 1: [ { resource = 1: {attributes}, scope_* = 2: [ { scope = 1, records = 2: [..] } ] } ]
 *   }
 *
 * Consecutive records of one node share a resource; a record that another agent forwarded keeps the name of its own
 * node. */
#include <errno.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/parse.h"
#include "codec/json.h"
#include "telemetry/event/event.h"
#include "telemetry/format/format_impl.h"
#include "telemetry/format/otlp.h"

enum { LOGS, METRICS, REQUESTS };
enum { FRAME_BYTES = 2048, MAX_NODE = 256, MAX_BUCKETS = 512 };
enum { TEMPORALITY_DELTA = 1, TEMPORALITY_CUMULATIVE = 2 };

/* One of the two requests under construction. */
struct otlp_request {
    struct hf_buf text; /* without the ends of the open messages */
    struct hf_otlp w;
    size_t resource, scope; /* for hf_otlp_close() */
    char node[MAX_NODE];    /* node of the open resource */
    bool open;
    size_t records;
};

static const struct {
    const char *path, *name, *resources, *scopes, *records;
} words[REQUESTS] = {
    [LOGS] = {"/v1/logs", "logs", "resourceLogs", "scopeLogs", "logRecords"},
    [METRICS] = {"/v1/metrics", "metrics", "resourceMetrics", "scopeMetrics", "metrics"},
};

/* ---- resources --------------------------------------------------------------------------------------------------- */

static void close_resource(struct otlp_request *request)
{
    if (!request->open)
        return;
    hf_otlp_close_list(&request->w);
    hf_otlp_close(&request->w, request->scope);
    hf_otlp_close_list(&request->w);
    hf_otlp_close(&request->w, request->resource);
    request->open = false;
}

static void open_resource(struct otlp_request *request, int which, struct hf_view node)
{
    enum { RESOURCE = 1, SCOPES = 2, SCOPE = 1, ATTRIBUTES = 1, NAME = 1, VERSION = 2 };
    struct hf_otlp *w = &request->w;

    node.n = HF_MIN(node.n, (size_t)MAX_NODE - 1);
    if (request->open && hf_view_eq(node, request->node))
        return;
    close_resource(request);
    (void)memcpy(request->node, node.p, node.n);
    request->node[node.n] = '\0';
    request->open = true;
    request->resource = hf_otlp_open_item(w, 1);
    size_t resource = hf_otlp_open(w, RESOURCE, "resource");
    hf_otlp_open_list(w, "attributes");
    hf_otlp_attribute(w, ATTRIBUTES, HF_VIEW("host.name"), node);
    hf_otlp_attribute(w, ATTRIBUTES, HF_VIEW("k8s.node.name"), node);
    hf_otlp_close_list(w);
    hf_otlp_close(w, resource);
    hf_otlp_open_list(w, words[which].scopes);
    request->scope = hf_otlp_open_item(w, SCOPES);
    size_t scope = hf_otlp_open(w, SCOPE, "scope");
    hf_otlp_string(w, NAME, "name", HF_VIEW("holdfast"));
    hf_otlp_string(w, VERSION, "version", HF_VIEW(HF_VERSION));
    hf_otlp_close(w, scope);
    hf_otlp_open_list(w, words[which].records);
}

static void add_attributes(struct hf_otlp *w, unsigned field, const struct hf_event *event)
{
    for (size_t i = 0; i < event->n_attributes; i++)
        hf_otlp_attribute(w, field, event->attributes[i].name, event->attributes[i].value);
}

static void add_if(struct hf_otlp *w, unsigned field, struct hf_view key, struct hf_view value)
{
    if (value.n > 0)
        hf_otlp_attribute(w, field, key, value);
}

/* Adds the node that passed the event on if it is not the one of the resource, and the process that posted the event:
 * an origin is only what the sender claims. */
static void add_sender(struct hf_otlp *w, unsigned field, const struct hf_event *event, const char *node)
{
    add_if(w, field, HF_VIEW("holdfast.forwarded_by"), event->origin.n > 0 ? hf_view_of(node) : HF_VIEW(""));
    add_if(w, field, HF_VIEW("holdfast.peer.uid"), event->peer_uid);
    add_if(w, field, HF_VIEW("holdfast.peer.unit"), event->peer_unit);
}

/* ---- logs -------------------------------------------------------------------------------------------------------- */

static void add_log(struct hf_otlp *w, const struct hf_event *event, const char *node, uint64_t observed_unix_ns)
{
    enum {
        RECORDS = 2,
        TIME = 1,
        SEVERITY = 2,
        SEVERITY_TEXT = 3,
        BODY = 5,
        ATTRIBUTES = 6,
        OBSERVED = 11,
        STRING = 1
    };
    static const char *const kinds[] = {
        [HF_EVENT_LOG] = "", [HF_EVENT_PAYLOAD] = "payload", [HF_EVENT_METRIC] = "", [HF_EVENT_FINDING] = "finding"};
    enum hf_severity severity = event->severity > 0 ? event->severity : HF_SEVERITY_INFO;
    size_t record = hf_otlp_open_item(w, RECORDS);

    hf_otlp_fixed64(w, TIME, "timeUnixNano", event->unix_ns);
    hf_otlp_number(w, SEVERITY, "severityNumber", (uint64_t)severity);
    hf_otlp_string(w, SEVERITY_TEXT, "severityText", hf_view_of(hf_severity_name(severity)));
    size_t body = hf_otlp_open(w, BODY, "body");
    hf_otlp_string(w, STRING, "stringValue", event->body);
    hf_otlp_close(w, body);
    hf_otlp_open_list(w, "attributes");
    add_attributes(w, ATTRIBUTES, event);
    add_if(w, ATTRIBUTES, HF_VIEW("log.record.uid"), event->id);
    add_if(w, ATTRIBUTES, HF_VIEW("event.name"), event->name);
    add_if(w, ATTRIBUTES, HF_VIEW("holdfast.source"), event->source);
    add_if(w, ATTRIBUTES, HF_VIEW("holdfast.kind"), hf_view_of(kinds[event->kind]));
    add_if(w, ATTRIBUTES, HF_VIEW("holdfast.key"), event->key);
    add_if(w, ATTRIBUTES, HF_VIEW("holdfast.checksum"), event->checksum);
    add_if(w, ATTRIBUTES, HF_VIEW("holdfast.boundary"), event->boundary);
    add_if(w, ATTRIBUTES, HF_VIEW("holdfast.anomaly"), hf_view_of(event->anomaly ? "true" : ""));
    add_if(w, ATTRIBUTES, HF_VIEW("holdfast.truncated"), hf_view_of(event->truncated ? "true" : ""));
    add_sender(w, ATTRIBUTES, event, node);
    hf_otlp_close_list(w);
    hf_otlp_fixed64(w, OBSERVED, "observedTimeUnixNano", observed_unix_ns);
    hf_otlp_close(w, record);
}

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

static uint64_t start_of(const struct hf_event *event)
{
    return event->window_ns > 0 && event->unix_ns > event->window_ns ? event->unix_ns - event->window_ns : 0;
}

/* The attributes of one data point. A metric that somebody posted has its source, so that it does not look like one
 * that the agent read itself. */
static void add_point_attributes(struct hf_otlp *w, unsigned field, const struct hf_event *event)
{
    add_attributes(w, field, event);
    add_if(w, field, HF_VIEW("holdfast.source"), event->source_class == HF_SOURCE_HTTP ? event->source : HF_VIEW(""));
    add_if(w, field, HF_VIEW("holdfast.peer.uid"), event->peer_uid);
    add_if(w, field, HF_VIEW("holdfast.peer.unit"), event->peer_unit);
}

static void add_number_point(struct hf_otlp *w, const struct hf_event *event, double value)
{
    enum { POINTS = 1, START = 2, TIME = 3, AS_DOUBLE = 4, ATTRIBUTES = 7 };

    hf_otlp_open_list(w, "dataPoints");
    size_t point = hf_otlp_open_item(w, POINTS);
    if (start_of(event) > 0)
        hf_otlp_fixed64(w, START, "startTimeUnixNano", start_of(event));
    hf_otlp_fixed64(w, TIME, "timeUnixNano", event->unix_ns);
    hf_otlp_double(w, AS_DOUBLE, "asDouble", value);
    hf_otlp_open_list(w, "attributes");
    add_point_attributes(w, ATTRIBUTES, event);
    add_if(w, ATTRIBUTES, HF_VIEW("holdfast.anomaly"), hf_view_of(event->anomaly ? "true" : ""));
    hf_otlp_close_list(w);
    hf_otlp_close(w, point);
    hf_otlp_close_list(w);
}

static size_t open_metric(struct hf_otlp *w, const struct hf_event *event, const char *suffix)
{
    enum { METRICS_FIELD = 2, NAME = 1, MAX_NAME = 512 };
    char name[MAX_NAME];
    size_t n = HF_MIN(event->name.n, sizeof(name) - 16), more = strlen(suffix);
    size_t metric = hf_otlp_open_item(w, METRICS_FIELD);

    memcpy(name, event->name.p, n);
    memcpy(name + n, suffix, more);
    hf_otlp_string(w, NAME, "name", (struct hf_view){name, n + more});
    return metric;
}

static void add_gauge(struct hf_otlp *w, const struct hf_event *event, const char *suffix, double value)
{
    enum { GAUGE = 5 };
    size_t metric = open_metric(w, event, suffix);
    size_t gauge = hf_otlp_open(w, GAUGE, "gauge");

    add_number_point(w, event, value);
    hf_otlp_close(w, gauge);
    hf_otlp_close(w, metric);
}

static void add_sum(struct hf_otlp *w, const struct hf_event *event)
{
    enum { SUM = 7, TEMPORALITY = 2, MONOTONIC = 3 };
    size_t metric = open_metric(w, event, "");
    size_t sum = hf_otlp_open(w, SUM, "sum");

    add_number_point(w, event, event->value);
    hf_otlp_number(w, TEMPORALITY, "aggregationTemporality",
                   event->window_ns > 0 ? TEMPORALITY_DELTA : TEMPORALITY_CUMULATIVE);
    hf_otlp_bool(w, MONOTONIC, "isMonotonic", true);
    hf_otlp_close(w, sum);
    hf_otlp_close(w, metric);
}

static uint64_t count_of(const json_t *number)
{
    json_int_t value = json_integer_value(number);

    return value > 0 ? (uint64_t)value : 0;
}

static void add_buckets(struct hf_otlp *w, unsigned field, const char *name, const json_t *buckets)
{
    enum { OFFSET = 1, COUNTS = 2 };
    const json_t *list = json_object_get(buckets, "counts");
    uint64_t counts[MAX_BUCKETS];
    size_t n = HF_MIN(json_array_size(list), (size_t)MAX_BUCKETS);

    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        counts[i] = count_of(json_array_get(list, i));
    size_t start = hf_otlp_open(w, field, name);
    hf_otlp_sint32(w, OFFSET, "offset", (int32_t)json_integer_value(json_object_get(buckets, "offset")));
    hf_otlp_packed_u64(w, COUNTS, "bucketCounts", counts, n);
    hf_otlp_close(w, start);
}

static void add_double_if(struct hf_otlp *w, unsigned field, const char *name, const json_t *number)
{
    if (json_is_number(number))
        hf_otlp_double(w, field, name, json_number_value(number));
}

static void add_histogram(struct hf_otlp *w, const struct hf_event *event, const json_t *histogram)
{
    enum { HISTOGRAM = 10, POINTS = 1, TEMPORALITY = 2 };
    enum {
        ATTRIBUTES = 1,
        START = 2,
        TIME = 3,
        COUNT = 4,
        SUM = 5,
        SCALE = 6,
        ZEROS = 7,
        POSITIVE = 8,
        NEGATIVE = 9,
        MIN = 12,
        MAX = 13
    };
    size_t metric = open_metric(w, event, "");
    size_t data = hf_otlp_open(w, HISTOGRAM, "exponentialHistogram");

    hf_otlp_open_list(w, "dataPoints");
    size_t point = hf_otlp_open_item(w, POINTS);
    hf_otlp_open_list(w, "attributes");
    add_point_attributes(w, ATTRIBUTES, event);
    hf_otlp_close_list(w);
    hf_otlp_fixed64(w, START, "startTimeUnixNano", start_of(event));
    hf_otlp_fixed64(w, TIME, "timeUnixNano", event->unix_ns);
    hf_otlp_fixed64(w, COUNT, "count", count_of(json_object_get(histogram, "count")));
    add_double_if(w, SUM, "sum", json_object_get(histogram, "sum"));
    hf_otlp_sint32(w, SCALE, "scale", (int32_t)json_integer_value(json_object_get(histogram, "scale")));
    hf_otlp_fixed64(w, ZEROS, "zeroCount", count_of(json_object_get(histogram, "zeroCount")));
    add_buckets(w, POSITIVE, "positive", json_object_get(histogram, "positive"));
    add_buckets(w, NEGATIVE, "negative", json_object_get(histogram, "negative"));
    add_double_if(w, MIN, "min", json_object_get(histogram, "min"));
    add_double_if(w, MAX, "max", json_object_get(histogram, "max"));
    hf_otlp_close(w, point);
    hf_otlp_close_list(w);
    hf_otlp_number(w, TEMPORALITY, "aggregationTemporality", TEMPORALITY_DELTA);
    hf_otlp_close(w, data);
    hf_otlp_close(w, metric);
}

static void add_metric(struct hf_otlp *w, const struct hf_event *event)
{
    _cleanup_(hf_json_freep) json_t *summary = NULL;

    if (event->histogram.n > 0 && hf_json_parse(event->histogram, NULL, &summary, NULL) < 0)
        summary = NULL;
    if (event->value_kind == HF_VALUE_COUNTER) {
        add_sum(w, event);
        return;
    }
    if (event->value_kind == HF_VALUE_HISTOGRAM && summary != NULL) {
        add_histogram(w, event, summary);
        return;
    }
    add_gauge(w, event, "", event->value);
    if (json_is_number(json_object_get(summary, "min")))
        add_gauge(w, event, "_min", json_number_value(json_object_get(summary, "min")));
    if (json_is_number(json_object_get(summary, "max")))
        add_gauge(w, event, "_max", json_number_value(json_object_get(summary, "max")));
}

/* ---- a batch ----------------------------------------------------------------------------------------------------- */

/* Writes a record that is not an event as a log with its text, so that it is not lost. */
static void add_raw(struct hf_otlp *w, const struct hf_spool_record *record, const char *node)
{
    bool valid = hf_utf8_valid(record->payload.p, record->payload.n);
    struct hf_event event = {.kind = HF_EVENT_LOG,
                             .unix_ns = record->unix_ns,
                             .source = HF_VIEW("agent"),
                             .body = valid ? record->payload : HF_VIEW("unreadable record")};

    add_log(w, &event, node, record->unix_ns);
}

/* Encodes one record as one or more list items into `item`. Returns the index of its request, or -errno. */
static int write_record(const struct hf_format *format, const struct hf_spool_record *record, struct hf_buf *scratch,
                        struct hf_buf *item, struct hf_view *ret_node)
{
    struct hf_otlp w = {.out = item, .json = format->otlp_json};
    struct hf_event event;
    int which = LOGS;

    hf_buf_clear(item);
    *ret_node = hf_view_of(format->node);
    int r = hf_event_parse(record->payload, &event, ret_node, scratch);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        *ret_node = hf_view_of(format->node);
        add_raw(&w, record, format->node);
        return w.r < 0 ? w.r : LOGS;
    }
    if (event.origin.n > 0)
        *ret_node = event.origin;
    if (event.kind == HF_EVENT_METRIC) {
        which = METRICS;
        add_metric(&w, &event);
    } else {
        add_log(&w, &event, format->node, record->unix_ns);
    }
    return w.r < 0 ? w.r : which;
}

static int append_item(struct otlp_request *request, int which, struct hf_view node, const struct hf_buf *item)
{
    open_resource(request, which, node);
    if (request->w.r == 0 && request->w.json && request->text.p[request->text.n - 1] != '[')
        request->w.r = hf_buf_add(&request->text, ",", 1);
    if (request->w.r == 0)
        request->w.r = hf_buf_add(&request->text, item->p, item->n);
    request->records++;
    return request->w.r;
}

static int finish_request(const struct hf_format *format, struct hf_squeeze *squeeze, struct otlp_request *request,
                          int which, struct hf_format_packed *packed)
{
    struct hf_format_part *part = &packed->parts[packed->n_parts];

    close_resource(request);
    hf_otlp_close_list(&request->w);
    if (request->w.json && request->w.r == 0)
        request->w.r = hf_buf_add_str(&request->text, "}");
    int r = request->w.r;
    part->path = words[which].path;
    part->name = words[which].name;
    part->content_type = format->otlp_json ? "application/json" : "application/x-protobuf";
    part->records = request->records;
    part->raw_bytes = request->text.n;
    packed->n_parts++;
    if (r == 0)
        r = hf_squeeze_begin(squeeze, &part->body);
    if (r == 0)
        r = hf_squeeze_add(squeeze, hf_buf_str(&request->text), request->text.n);
    return r < 0 ? r : hf_squeeze_end(squeeze);
}

static void begin_request(const struct hf_format *format, struct otlp_request *request, int which)
{
    *request = (struct otlp_request){.text = HF_BUF_INIT(HF_FORMAT_MAX_BODY)};
    request->w = (struct hf_otlp){.out = &request->text, .json = format->otlp_json};
    if (format->otlp_json) {
        request->w.r = hf_buf_add_str(&request->text, "{");
        hf_otlp_open_list(&request->w, words[which].resources);
    }
}

int hf_format_pack_otlp(const struct hf_format *format, struct hf_squeeze *squeeze,
                        const struct hf_spool_record *records, size_t n, struct hf_format_packed *packed)
{
    _cleanup_(hf_buf_done) struct hf_buf scratch = HF_BUF_INIT(HF_EVENT_MAX_TEXT + 4096);
    _cleanup_(hf_buf_done) struct hf_buf item = HF_BUF_INIT(HF_FORMAT_MAX_BODY - FRAME_BYTES);
    struct otlp_request requests[REQUESTS];
    struct hf_view node;
    int r = 0;

    for (int i = 0; i < REQUESTS; i++)
        begin_request(format, &requests[i], i);
    for (; packed->used < n; packed->used++) {
        int which = write_record(format, &records[packed->used], &scratch, &item, &node);
        if (which == -E2BIG && packed->used == 0)
            packed->used = 1; /* too large: no parts, so it becomes a dead letter */
        if (which < 0) {
            r = which == -E2BIG ? 0 : which;
            break;
        }
        if (packed->used > 0 &&
            requests[LOGS].text.n + requests[METRICS].text.n + item.n + FRAME_BYTES > format->max_bytes)
            break;
        r = append_item(&requests[which], which, node, &item);
        if (r < 0)
            break;
    }
    for (int i = 0; i < REQUESTS && r == 0; i++)
        if (requests[i].records > 0)
            r = finish_request(format, squeeze, &requests[i], i, packed);
    for (int i = 0; i < REQUESTS; i++)
        hf_buf_done(&requests[i].text);
    return r;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void take_message(struct hf_view text, struct hf_format_answer *ret_answer)
{
    size_t n = HF_MIN(text.n, sizeof(ret_answer->message) - 1);

    for (size_t i = 0; i < n; i++)
        ret_answer->message[i] = (char)(text.p[i] < ' ' || text.p[i] > '~' ? '?' : text.p[i]);
    ret_answer->message[n] = '\0';
}

static void read_json(struct hf_view answer, struct hf_format_answer *ret_answer)
{
    static const char *const names[] = {"rejectedLogRecords", "rejectedDataPoints"};
    _cleanup_(hf_json_freep) json_t *root = NULL;

    if (hf_json_parse(answer, NULL, &root, NULL) < 0)
        return;
    const json_t *partial = json_object_get(root, "partialSuccess");
    for (size_t i = 0; i < HF_LEN(names); i++) {
        const json_t *value = json_object_get(partial, names[i]);
        if (json_is_string(value))
            (void)!hf_parse_u64(json_string_value(value), 0, UINT64_MAX, &ret_answer->rejected);
        else if (json_is_integer(value))
            ret_answer->rejected = count_of(value);
    }
    const char *message = hf_json_str_or(partial, "errorMessage", "");
    take_message(hf_view_of(message), ret_answer);
}

void hf_format_read_otlp(bool json, struct hf_view answer, struct hf_format_answer *ret_answer)
{
    enum { PARTIAL_SUCCESS = 1, REJECTED = 1, ERROR_MESSAGE = 2 };
    struct hf_view inside, text;
    uint64_t value;
    unsigned field;

    if (json) {
        read_json(answer, ret_answer);
        return;
    }
    while (hf_otlp_read(&answer, &field, &value, &inside)) {
        if (field != PARTIAL_SUCCESS)
            continue;
        while (hf_otlp_read(&inside, &field, &value, &text)) {
            if (field == REJECTED)
                ret_answer->rejected = value;
            else if (field == ERROR_MESSAGE)
                take_message(text, ret_answer);
        }
    }
}
