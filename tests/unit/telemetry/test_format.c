/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies as their receivers parse them: JSON trees, protobuf field by field, the seed's payload with its checksum; and
 * limits. */
#include "telemetry/format/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/sha256.h"
#include "support/check_main.h"
#include "telemetry/event/event.h"
#include "telemetry/format/otlp.h"

enum { MAX_RECORDS = 64, T = 1795161600 };

struct batch {
    struct hf_buf lines[MAX_RECORDS];
    struct hf_spool_record records[MAX_RECORDS];
    size_t n;
};

static void batch_done(struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++)
        hf_buf_done(&batch->lines[i]);
    batch->n = 0;
}

static void add_line(struct batch *batch, const char *text, size_t n)
{
    struct hf_buf *line = &batch->lines[batch->n];

    *line = (struct hf_buf)HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    ck_assert_int_eq(hf_buf_add(line, text, n), 0);
    batch->records[batch->n] = (struct hf_spool_record){
        .sequence = batch->n + 1, .unix_ns = (uint64_t)T * 1000000000, .payload = hf_buf_view(line)};
    batch->n++;
}

static void add_event(struct batch *batch, const struct hf_event *event, const char *node)
{
    struct hf_buf *line = &batch->lines[batch->n];

    *line = (struct hf_buf)HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    ck_assert_int_eq(hf_event_format(event, node, line), 0);
    batch->records[batch->n] = (struct hf_spool_record){
        .sequence = batch->n + 1, .unix_ns = (uint64_t)T * 1000000000, .payload = hf_buf_view(line)};
    batch->n++;
}

#define V(literal)                                                                                                     \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }
static const struct hf_event log_event = {.kind = HF_EVENT_LOG,
                                          .severity = HF_SEVERITY_ERROR,
                                          .unix_ns = (uint64_t)T * 1000000000 + 5,
                                          .id = V("l-1"),
                                          .source = V("journald:a.service"),
                                          .body = V("disk \"sda\"\nfailed \xc3\xa4"),
                                          .attributes = {{V("unit"), V("a.service")}},
                                          .n_attributes = 1};
static const struct hf_event gauge_event = {.kind = HF_EVENT_METRIC,
                                            .unix_ns = (uint64_t)T * 1000000000,
                                            .id = V("g-1"),
                                            .source = V("node"),
                                            .value_kind = HF_VALUE_GAUGE,
                                            .name = V("node_temperature_celsius"),
                                            .value = 41.5,
                                            .window_ns = 60000000000,
                                            .histogram = V("{\"count\":3,\"min\":40,\"max\":43.25}")};
static const struct hf_event counter_event = {.kind = HF_EVENT_METRIC,
                                              .unix_ns = (uint64_t)T * 1000000000,
                                              .source = V("node"),
                                              .value_kind = HF_VALUE_COUNTER,
                                              .name = V("node_network_bytes_total"),
                                              .value = 300};
static const struct hf_event histogram_event = {
    .kind = HF_EVENT_METRIC,
    .unix_ns = (uint64_t)T * 1000000000,
    .source = V("http"),
    .value_kind = HF_VALUE_HISTOGRAM,
    .name = V("latency_seconds"),
    .window_ns = 60000000000,
    .histogram = V("{\"count\":7,\"sum\":3.5,\"min\":0,\"max\":2,\"scale\":3,\"zeroCount\":1,\"positive\":{\"offset\":-"
                   "4,\"counts\":"
                   "[1,0,300]},\"negative\":{\"offset\":2,\"counts\":[5]}}")};
static const struct hf_event payload_event = {.kind = HF_EVENT_PAYLOAD,
                                              .unix_ns = (uint64_t)T * 1000000000,
                                              .id = V("p\"1"),
                                              .source = V("http"),
                                              .body = V("{\"t\": 21.50,\n \"u\":\"C\"}")};

static void pack(const struct hf_format *format, const struct batch *batch, struct hf_format_packed *packed)
{
    _cleanup_(hf_squeeze_freep) struct hf_squeeze *squeeze = hf_squeeze_new(format->encoding);

    ck_assert_int_eq(hf_format_pack(format, squeeze, batch->records, batch->n, packed), 0);
}

static json_t *tree(const struct hf_format_part *part)
{
    json_t *root = NULL;

    ck_assert_int_eq(hf_json_parse(hf_buf_view(&part->body), NULL, &root, NULL), 0);
    return root;
}

START_TEST(lines_fit_and_are_what_they_were)
{
    struct hf_format format = {.kind = _i % 2 == 0 ? HF_SINK_JSON : HF_SINK_NDJSON, .node = "n", .max_bytes = 100};
    struct batch batch = {.n = 0};
    struct hf_format_packed packed;

    for (int i = 0; i < 20; i++)
        add_line(&batch, "{\"n\":123456}", 12);
    /* 100 bytes hold 7 records of 13 bytes and one bracket, whatever follows */
    pack(&format, &batch, &packed);
    ck_assert_uint_eq(packed.used, 7);
    ck_assert_uint_eq(packed.n_parts, 1);
    ck_assert_uint_eq(packed.parts[0].raw_bytes, packed.parts[0].body.n);
    ck_assert_uint_eq(packed.parts[0].body.n, 7 * 13 + (_i % 2 == 0));
    if (_i % 2 == 0) {
        _cleanup_(hf_json_freep) json_t *root = tree(&packed.parts[0]);
        ck_assert_uint_eq(json_array_size(root), 7);
    }
    hf_format_packed_done(&packed);
    format.max_bytes = 5; /* one record always fits */
    pack(&format, &batch, &packed);
    ck_assert_uint_eq(packed.used, 1);
    hf_format_packed_done(&packed);
    batch_done(&batch);
}
END_TEST

START_TEST(the_seeds_payload)
{
    struct hf_format format = {.kind = HF_SINK_SEED, .node = "n", .max_bytes = HF_FORMAT_MAX_BODY};
    struct batch batch = {.n = 0};
    struct hf_format_packed packed;
    char hex[HF_SHA256_HEX];

    add_event(&batch, &payload_event, "n");
    pack(&format, &batch, &packed);
    ck_assert_uint_eq(packed.used, 1);
    ck_assert_str_eq(packed.parts[0].path, "/ingest");
    ck_assert_str_eq(packed.parts[0].checksum, hf_sha256_hex(payload_event.body.p, payload_event.body.n, hex));
    ck_assert_ptr_nonnull(
        memmem(packed.parts[0].body.p, packed.parts[0].body.n, payload_event.body.p, payload_event.body.n));
    _cleanup_(hf_json_freep) json_t *root = tree(&packed.parts[0]);
    ck_assert_str_eq(hf_json_str(root, "id"), "p\"1");
    ck_assert_str_eq(hf_json_str(root, "checksum"), hex);
    ck_assert_int_eq(hf_json_int_or(root, "timestamp", 0), (int64_t)T * 1000);
    hf_format_packed_done(&packed);
    batch_done(&batch);

    add_event(&batch, &log_event, "n"); /* not a payload: the same shape */
    pack(&format, &batch, &packed);
    _cleanup_(hf_json_freep) json_t *other = tree(&packed.parts[0]);
    ck_assert_str_eq(hf_json_str(other, "sensorData.severity"), "error");
    ck_assert_str_eq(packed.parts[0].checksum,
                     hf_sha256_hex(batch.records[0].payload.p, batch.records[0].payload.n, hex));
    hf_format_packed_done(&packed);
    batch_done(&batch);

    add_line(&batch, "{broken", 7);
    pack(&format, &batch, &packed);
    ck_assert_uint_eq(packed.used, 1);
    ck_assert_uint_eq(packed.n_parts, 0);
    hf_format_packed_done(&packed);
    batch_done(&batch);
}
END_TEST

static void add_one_of_each(struct batch *batch)
{
    struct hf_event from_afar = payload_event;

    from_afar.origin = HF_VIEW("sensor-7");
    add_event(batch, &log_event, "node-1");
    add_event(batch, &gauge_event, "node-1");
    add_event(batch, &counter_event, "node-1");
    add_event(batch, &histogram_event, "node-1");
    add_event(batch, &payload_event, "node-1");
    add_event(batch, &from_afar, "node-1");
    add_line(batch, "not an event", 12);
}

static bool part_has(const struct hf_format_part *part, const char *text)
{
    return memmem(part->body.p, part->body.n, text, strlen(text)) != NULL;
}

/* What somebody posted does not look like what this node saw, not even a metric or a record of another node. */
START_TEST(otlp_names_the_sender)
{
    struct hf_format format = {
        .kind = HF_SINK_OTLP, .otlp_json = true, .node = "node-1", .max_bytes = HF_FORMAT_MAX_BODY};
    struct hf_event log = log_event, gauge = gauge_event;
    struct batch batch = {.n = 0};
    struct hf_format_packed packed;

    log.source = HF_VIEW("http:journald:sshd.service");
    log.origin = HF_VIEW("node-2");
    gauge.source = HF_VIEW("http:node");
    log.peer_uid = gauge.peer_uid = HF_VIEW("1000");
    log.peer_unit = gauge.peer_unit = HF_VIEW("user@1000.service");
    add_event(&batch, &log, "node-1");
    add_event(&batch, &gauge, "node-1");
    pack(&format, &batch, &packed);
    ck_assert_uint_eq(packed.n_parts, 2);
    for (size_t i = 0; i < packed.n_parts; i++)
        ck_assert(part_has(&packed.parts[i], "{\"key\":\"holdfast.peer.uid\",\"value\":{\"stringValue\":\"1000\"}}") &&
                  part_has(&packed.parts[i], "{\"stringValue\":\"user@1000.service\"}") &&
                  part_has(&packed.parts[i], "{\"key\":\"holdfast.source\",\"value\":{\"stringValue\":\"http:"));
    ck_assert(part_has(&packed.parts[0], "\"holdfast.forwarded_by\",\"value\":{\"stringValue\":\"node-1\"}") ||
              part_has(&packed.parts[1], "\"holdfast.forwarded_by\",\"value\":{\"stringValue\":\"node-1\"}"));
    hf_format_packed_done(&packed);
    batch_done(&batch);

    add_event(&batch, &gauge_event, "node-1"); /* the node's own */
    pack(&format, &batch, &packed);
    ck_assert(!part_has(&packed.parts[0], "holdfast.source") && !part_has(&packed.parts[0], "holdfast.peer"));
    hf_format_packed_done(&packed);
    batch_done(&batch);
}
END_TEST

static const struct {
    enum hf_sink_format kind;
    const char *url, *want;
} bases[] = {
    {HF_SINK_OTLP, "https://h", "https://h"},
    {HF_SINK_OTLP, "https://h/", "https://h"},
    {HF_SINK_OTLP, "http://127.0.0.1:4318", "http://127.0.0.1:4318"},
    {HF_SINK_OTLP, "https://h/v1", "https://h"},
    {HF_SINK_OTLP, "https://h/v1///", "https://h"},
    {HF_SINK_OTLP, "https://h/v1/logs", "https://h"},
    {HF_SINK_OTLP, "https://h/v1/metrics/", "https://h"},
    {HF_SINK_OTLP, "https://h/api/otlp//v1/logs", "https://h/api/otlp"},
    {HF_SINK_OTLP, "https://h/v1/v1/logs", "https://h/v1"}, /* /v1 twice: the first belongs to the base */
    {HF_SINK_OTLP, "https://h/api/v1beta", "https://h/api/v1beta"},
    {HF_SINK_OTLP, "https://h/my-v1", "https://h/my-v1"},
    {HF_SINK_OTLP, "https://h/v1/logs/eu", "https://h/v1/logs/eu"},
    {HF_SINK_OTLP, "https://v1", "https://v1"}, /* a host */
    {HF_SINK_JSON, "https://h/v1/logs", "https://h/v1/logs"},
    {HF_SINK_JSON, "https://h/a/", "https://h/a"},
    {HF_SINK_NDJSON, "https://h/v1", "https://h/v1"},
    {HF_SINK_SEED, "https://h/v1/", "https://h/v1"},
};

START_TEST(base_of_a_url)
{
    struct hf_view base = hf_format_base(bases[_i].kind, bases[_i].url);

    ck_assert_msg(hf_view_eq(base, bases[_i].want), "%s: '%.*s'", bases[_i].url, (int)base.n, base.p);
}
END_TEST

START_TEST(otlp_as_json)
{
    struct hf_format format = {
        .kind = HF_SINK_OTLP, .otlp_json = true, .node = "node-1", .max_bytes = HF_FORMAT_MAX_BODY};
    struct batch batch = {.n = 0};
    struct hf_format_packed packed;

    add_one_of_each(&batch);
    pack(&format, &batch, &packed);
    ck_assert_uint_eq(packed.used, 7);
    ck_assert_uint_eq(packed.n_parts, 2);
    ck_assert_str_eq(packed.parts[0].path, "/v1/logs");
    ck_assert_str_eq(packed.parts[1].name, "metrics");
    ck_assert_uint_eq(packed.parts[0].records, 4);
    ck_assert_uint_eq(packed.parts[1].records, 3);

    _cleanup_(hf_json_freep) json_t *logs = tree(&packed.parts[0]);
    const json_t *resources = json_object_get(logs, "resourceLogs");
    ck_assert_uint_eq(json_array_size(resources), 3); /* node-1, sensor-7, node-1 */
    const json_t *first = json_array_get(resources, 0);
    const json_t *attributes = hf_json_at(first, "resource.attributes");
    ck_assert_str_eq(hf_json_str(json_array_get(attributes, 0), "key"), "host.name");
    ck_assert_str_eq(hf_json_str(json_array_get(attributes, 1), "value.stringValue"), "node-1");
    const json_t *scope = json_array_get(json_object_get(first, "scopeLogs"), 0);
    ck_assert_str_eq(hf_json_str(scope, "scope.name"), "holdfast");
    const json_t *record = json_array_get(json_object_get(scope, "logRecords"), 0);
    ck_assert_str_eq(hf_json_str(record, "body.stringValue"), "disk \"sda\"\nfailed \xc3\xa4");
    ck_assert_int_eq(hf_json_int_or(record, "severityNumber", 0), 17);
    ck_assert_str_eq(hf_json_str(record, "timeUnixNano"), "1795161600000000005");

    _cleanup_(hf_json_freep) json_t *metrics = tree(&packed.parts[1]);
    const json_t *list = json_object_get(
        json_array_get(json_object_get(json_array_get(json_object_get(metrics, "resourceMetrics"), 0), "scopeMetrics"),
                       0),
        "metrics");
    ck_assert_uint_eq(json_array_size(list), 5); /* gauge with its minimum and maximum, sum, histogram */
    const json_t *gauge = json_array_get(hf_json_at(json_array_get(list, 0), "gauge.dataPoints"), 0);
    ck_assert(json_number_value(json_object_get(gauge, "asDouble")) > 41.4);
    ck_assert_str_eq(hf_json_str(gauge, "startTimeUnixNano"), "1795161540000000000");
    ck_assert_str_eq(hf_json_str(json_array_get(list, 2), "name"), "node_temperature_celsius_max");
    ck_assert_int_eq(hf_json_int_or(json_array_get(list, 3), "sum.aggregationTemporality", 0), 2);
    ck_assert(hf_json_bool_or(json_array_get(list, 3), "sum.isMonotonic", false));
    const json_t *point = json_array_get(hf_json_at(json_array_get(list, 4), "exponentialHistogram.dataPoints"), 0);
    ck_assert_str_eq(hf_json_str(point, "count"), "7");
    ck_assert_int_eq(hf_json_int_or(point, "positive.offset", 0), -4);
    ck_assert_str_eq(json_string_value(json_array_get(hf_json_at(point, "positive.bucketCounts"), 2)), "300");
    hf_format_packed_done(&packed);
    batch_done(&batch);
}
END_TEST

/* Returns the bytes of the first field with this number. */
static struct hf_view field(struct hf_view bytes, unsigned wanted, uint64_t *ret_value)
{
    struct hf_view inside;
    unsigned number;
    uint64_t value;

    while (hf_otlp_read(&bytes, &number, &value, &inside)) {
        if (number == wanted) {
            if (ret_value != NULL)
                *ret_value = value;
            return inside;
        }
    }
    ck_abort_msg("no field %u", wanted);
}

static struct hf_view at(struct hf_view bytes, const unsigned *path)
{
    for (; *path != 0; path++)
        bytes = field(bytes, *path, NULL);
    return bytes;
}
#define AT(bytes, ...) at((bytes), (const unsigned[]){__VA_ARGS__, 0})

START_TEST(otlp_as_protobuf)
{
    struct hf_format format = {.kind = HF_SINK_OTLP, .node = "node-1", .max_bytes = HF_FORMAT_MAX_BODY};
    struct batch batch = {.n = 0};
    struct hf_format_packed packed;
    uint64_t value;

    add_one_of_each(&batch);
    pack(&format, &batch, &packed);
    ck_assert_uint_eq(packed.n_parts, 2);
    ck_assert_str_eq(packed.parts[0].content_type, "application/x-protobuf");
    struct hf_view logs = hf_buf_view(&packed.parts[0].body), metrics = hf_buf_view(&packed.parts[1].body);
    ck_assert(hf_view_eq(AT(logs, 1, 1, 1, 2, 1), "node-1")); /* resource.attributes[0].value.string */
    ck_assert(hf_view_eq(AT(logs, 1, 2, 1, 1), "holdfast"));  /* scope.name */
    ck_assert(hf_view_eq(AT(logs, 1, 2, 2, 5, 1), "disk \"sda\"\nfailed \xc3\xa4"));
    (void)field(AT(logs, 1, 2, 2), 2, &value);
    ck_assert_uint_eq(value, 17);
    ck_assert(hf_view_eq(AT(metrics, 1, 2, 2, 1), "node_temperature_celsius"));
    double number;
    memcpy(&number, AT(metrics, 1, 2, 2, 5, 1, 4).p, sizeof(number)); /* gauge.dataPoints[0].asDouble */
    ck_assert(number > 41.4 && number < 41.6);
    hf_format_packed_done(&packed);
    batch_done(&batch);
}
END_TEST

START_TEST(otlp_fits_in_both_encodings)
{
    struct hf_format format = {.kind = HF_SINK_OTLP, .otlp_json = _i % 2 == 0, .node = "node-1", .max_bytes = 8192};
    struct hf_event event = log_event;
    struct batch batch = {.n = 0};
    struct hf_format_packed packed;
    static char text[500];
    size_t total = 0, requests = 0;

    memset(text, '\n', sizeof(text));
    event.body = (struct hf_view){text, sizeof(text)};
    for (size_t i = 0; i < MAX_RECORDS; i++)
        add_event(&batch, i % 3 == 0 ? &gauge_event : &event, i % 5 == 0 ? "other" : "node-1");
    while (total < MAX_RECORDS) {
        _cleanup_(hf_squeeze_freep) struct hf_squeeze *squeeze = hf_squeeze_new(HF_SQUEEZE_NONE);
        ck_assert_int_eq(hf_format_pack(&format, squeeze, batch.records + total, MAX_RECORDS - total, &packed), 0);
        ck_assert_uint_gt(packed.used, 0);
        for (size_t i = 0; i < packed.n_parts; i++)
            ck_assert_uint_le(packed.parts[i].body.n, format.max_bytes);
        total += packed.used;
        requests++;
        hf_format_packed_done(&packed);
    }
    ck_assert_uint_gt(requests, 2);
    batch_done(&batch);
}
END_TEST

/* Each answer is read by its own type; one without a type, or with an unknown one, like the request. */
START_TEST(partial_success_is_read)
{
    struct hf_format json = {.kind = HF_SINK_OTLP, .otlp_json = true}, bytes = {.kind = HF_SINK_OTLP};
    const struct hf_format lines = {.kind = HF_SINK_NDJSON};
    const struct hf_format_part part = {.records = 10};
    static const char protobuf[] = "\x0a\x07\x08\x03\x12\x03"
                                   "b\xff"
                                   "d";
    const struct hf_view binary = {protobuf, sizeof(protobuf) - 1}, cut = {protobuf, 4};
    const struct hf_view text =
        HF_VIEW("{\"partialSuccess\":{\"rejectedLogRecords\":\"3\",\"errorMessage\":\"too\\nold\"}}");
    const struct {
        const struct hf_format *format;
        const char *type;
        struct hf_view answer;
        uint64_t rejected;
        const char *message;
    } rows[] = {{&json, "application/json", text, 3, "too?old"},
                {&bytes, "application/json; charset=utf-8", text, 3, "too?old"},
                {&bytes, "application/x-protobuf", binary, 3, "b?d"},
                {&json, "application/x-protobuf", binary, 3, "b?d"},
                {&bytes, "", binary, 3, "b?d"},
                {&json, "", text, 3, "too?old"},
                {&json, "text/plain", text, 3, "too?old"},
                {&json, "", HF_VIEW("{\"partialSuccess\":{\"rejectedDataPoints\":400}}"), 10, ""},
                {&json, "", HF_VIEW("{\"partialSuccess\":{\"errorMessage\":\"old\"}}"), 0, "old"},
                {&json, "", HF_VIEW("{}"), 0, ""},
                {&json, "", HF_VIEW("garbage"), 0, ""},
                {&bytes, "", cut, 0, ""},
                {&bytes, "", HF_VIEW(""), 0, ""},
                {&lines, "application/json", text, 0, ""}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_format_answer got = hf_format_read_answer(rows[i].format, &part, rows[i].type, rows[i].answer);
        ck_assert_msg(got.rejected == rows[i].rejected && strcmp(got.message, rows[i].message) == 0, "%zu: %llu '%s'",
                      i, (unsigned long long)got.rejected, got.message);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, lines_fit_and_are_what_they_were, 0, 2);
    tcase_add_test(tc, the_seeds_payload);
    tcase_add_loop_test(tc, base_of_a_url, 0, HF_LEN(bases));
    tcase_add_test(tc, otlp_names_the_sender);
    tcase_add_test(tc, otlp_as_json);
    tcase_add_test(tc, otlp_as_protobuf);
    tcase_add_loop_test(tc, otlp_fits_in_both_encodings, 0, 2);
    tcase_add_test(tc, partial_success_is_read);
}

HF_TEST_MAIN("telemetry/format", cases)
