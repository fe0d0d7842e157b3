/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/event/event.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "codec/json.h"
#include "codec/scan.h"
#include "support/check_main.h"

#define V(text) HF_VIEW(text)
#define T0 1795173398123456789ull /* 2026-11-20T11:16:38.123456789Z */
#define HEAD "{\"time\":\"2026-11-20T11:16:38.123456789Z\",\"kind\":"

static struct hf_buf line = HF_BUF_INIT(2 << 20), scratch = HF_BUF_INIT(2 << 20), again = HF_BUF_INIT(2 << 20);

static const char *format(const struct hf_event *event, const char *node)
{
    hf_buf_clear(&line);
    int r = hf_event_format(event, node, &line);
    ck_assert_msg(r == 0, "format: %d", r);
    return hf_buf_str(&line);
}

/* ---- formatting ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *want;
    struct hf_event event;
} texts[] = {
    {"log", HEAD "\"log\",\"severity\":\"info\",\"body\":\"hello\"}", {.unix_ns = T0, .body = V("hello")}},
    {"empty log", HEAD "\"log\",\"severity\":\"info\",\"body\":\"\"}", {.unix_ns = T0}},
    {"everything of a log",
     "{\"id\":\"i\",\"time\":\"1970-01-01T00:00:00.000000001Z\",\"source\":\"journald:a.service\",\"kind\":\"log\","
     "\"severity\":"
     "\"warning\",\"severityNumber\":14,\"origin\":\"o\",\"originSequence\":18446744073709551615,\"key\":\"k\","
     "\"boundary\":\"eu\","
     "\"anomaly\":true,\"attributes\":{\"a\":\"1\",\"\":\"\"},\"body\":\"x\",\"truncated\":true}",
     {.id = V("i"),
      .unix_ns = 1,
      .source = V("journald:a.service"),
      .severity = (enum hf_severity)14,
      .origin = V("o"),
      .origin_sequence = UINT64_MAX,
      .key = V("k"),
      .boundary = V("eu"),
      .anomaly = true,
      .attributes = {{V("a"), V("1")}},
      .n_attributes = 2,
      .body = V("x"),
      .truncated = true}},
    {"escapes",
     HEAD "\"log\",\"severity\":\"info\",\"body\":\"\\\"\\\\/\\b\\t\\n\\u000b\\f\\r\\u0000\\u001f\x7f\"}",
     {.unix_ns = T0, .body = V("\"\\/\b\t\n\v\f\r\0\x1f\x7f")}},
    {"utf-8",
     HEAD "\"log\",\"severity\":\"info\",\"body\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}",
     {.unix_ns = T0, .body = V("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")}},
    {"not utf-8",
     HEAD "\"log\",\"severity\":\"info\",\"body\":\"a\xef\xbf\xbd"
          "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}",
     {.unix_ns = T0,
      .body = V("a\xff"
                "b\xc0\x80\xed\xa0\xc3")}},
    {"gauge",
     HEAD "\"metric\",\"severity\":\"info\",\"name\":\"t\",\"type\":\"gauge\",\"value\":-21.5}",
     {.kind = HF_EVENT_METRIC, .unix_ns = T0, .value_kind = HF_VALUE_GAUGE, .name = V("t"), .value = -21.5}},
    {"not a number",
     HEAD "\"metric\",\"severity\":\"info\",\"name\":\"t\",\"type\":\"gauge\",\"value\":null,\"valueText\":\"NaN\"}",
     {.kind = HF_EVENT_METRIC, .unix_ns = T0, .value_kind = HF_VALUE_GAUGE, .name = V("t"), .value = NAN}},
    {"infinite",
     HEAD "\"metric\",\"severity\":\"info\",\"name\":\"t\",\"type\":\"gauge\",\"value\":null,\"valueText\":\"+Inf\"}",
     {.kind = HF_EVENT_METRIC, .unix_ns = T0, .value_kind = HF_VALUE_GAUGE, .name = V("t"), .value = INFINITY}},
    {"less than infinite",
     HEAD "\"metric\",\"severity\":\"info\",\"name\":\"t\",\"type\":\"counter\",\"value\":null,\"valueText\":\"-Inf\"}",
     {.kind = HF_EVENT_METRIC, .unix_ns = T0, .value_kind = HF_VALUE_COUNTER, .name = V("t"), .value = -INFINITY}},
    {"window",
     HEAD "\"metric\",\"severity\":\"info\",\"name\":\"t\",\"type\":\"gauge\",\"value\":1,\"windowNs\":60000000000,"
          "\"summary\":{\"count\":2}}",
     {.kind = HF_EVENT_METRIC,
      .unix_ns = T0,
      .value_kind = HF_VALUE_GAUGE,
      .name = V("t"),
      .value = 1,
      .window_ns = 60000000000,
      .histogram = V("{\"count\":2}")}},
    {"histogram",
     HEAD "\"metric\",\"severity\":\"info\",\"name\":\"t\",\"type\":\"histogram\",\"value\":0,\"histogram\":{}}",
     {.kind = HF_EVENT_METRIC, .unix_ns = T0, .value_kind = HF_VALUE_HISTOGRAM, .name = V("t"), .histogram = V("{}")}},
    {"payload",
     HEAD "\"payload\",\"severity\":\"info\",\"checksum\":\"ab\",\"sensorData\":{ \"t\" : 2.50 }}",
     {.kind = HF_EVENT_PAYLOAD, .unix_ns = T0, .checksum = V("ab"), .body = V("{ \"t\" : 2.50 }")}},
    {"payload of several lines",
     HEAD "\"payload\",\"severity\":\"info\",\"sensorData\":{   \"t\": 1 },\"sensorDataBreaks\":[-1,2,10]}",
     {.kind = HF_EVENT_PAYLOAD, .unix_ns = T0, .body = V("{\r\n \"t\": 1\n}")}},
    {"payload of nothing",
     HEAD "\"payload\",\"severity\":\"info\",\"sensorData\":null}",
     {.kind = HF_EVENT_PAYLOAD, .unix_ns = T0}},
    {"finding",
     HEAD "\"finding\",\"severity\":\"error\",\"name\":\"hot\",\"body\":\"above\"}",
     {.kind = HF_EVENT_FINDING, .unix_ns = T0, .severity = HF_SEVERITY_ERROR, .name = V("hot"), .body = V("above")}},
};

START_TEST(writes)
{
    ck_assert_msg(strcmp(format(&texts[_i].event, NULL), texts[_i].want) == 0, "%s:\n  want %s\n  got  %s",
                  texts[_i].name, texts[_i].want, hf_buf_str(&line));
}
END_TEST

START_TEST(names_the_node)
{
    const struct hf_event event = {.unix_ns = T0};

    ck_assert_str_eq(format(&event, "n\"1"), "{\"time\":\"2026-11-20T11:16:38.123456789Z\",\"node\":\"n\\\"1\","
                                             "\"kind\":\"log\",\"severity\":\"info\",\"body\":\"\"}");
}
END_TEST

static const struct {
    double value;
    const char *want;
} numbers[] = {
    {0, "0"},
    {-0.0, "-0"},
    {1, "1"},
    {-1, "-1"},
    {10, "10"},
    {99, "99"},
    {100, "100"},
    {0.1, "0.1"},
    {0.25, "0.25"},
    {-0.001, "-0.001"},
    {1e-15, "0.000000000000001"},
    {21.5, "21.5"},
    {1.1, "1.1"},
    {123456.789, "123456.789"},
    {9007199254740991, "9007199254740991"},
    {9007199254740994, "9007199254740994"},
    {18446744073709549568.0, "18446744073709549568"},
    {1e15, "1000000000000000"},
    {0.3333333333333333, "0.33333333333333331"},
    {1e300, "1.0000000000000001e+300"},
    {5e-324, "4.9406564584124654e-324"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {2.0 / 3, "0.66666666666666663"},
};

START_TEST(writes_numbers)
{
    const struct hf_event event = {.kind = HF_EVENT_METRIC, .value_kind = HF_VALUE_GAUGE, .value = numbers[_i].value};
    const char *at = strstr(format(&event, NULL), "\"value\":");

    ck_assert_ptr_nonnull(at);
    hf_buf_clear(&again);
    ck_assert_int_eq(hf_buf_addf(&again, "\"value\":%s}", numbers[_i].want), 0);
    ck_assert_str_eq(at, hf_buf_str(&again));
}
END_TEST

/* ---- there and back -------------------------------------------------------------------------------------------------- */

static uint64_t seed = 1;

static uint64_t next_random(void) /* xorshift64* */
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * 2685821657736338717ull;
}

static uint64_t below(uint64_t bound)
{
    return next_random() % bound;
}

/* Text of whole characters, plain and odd ones mixed. */
static struct hf_view random_text(char *at, size_t max)
{
    static const char *const pieces[] = {"\"",           "\\",
                                         "\n",           "\x01",
                                         "\x1f",         "/",
                                         "\x7f",         "\xc3\xa4",
                                         "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                         "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf"};
    size_t n = 0, want = below(4) == 0 ? 0 : below(max);
    bool plain = below(2) == 0;

    while (n + 4 < want) {
        const char *piece = pieces[below(HF_LEN(pieces))];
        if (plain || below(6) != 0) {
            at[n++] = (char)('a' + below(26));
            continue;
        }
        memcpy(at + n, piece, strlen(piece));
        n += strlen(piece);
    }
    return (struct hf_view){at, n};
}

static double random_value(void)
{
    union {
        uint64_t bits;
        double value;
    } u = {.bits = next_random()};

    switch (below(5)) {
    case 0:
        return (double)below(1000);
    case 1:
        return (double)(int64_t)(below(2000000) - 1000000) / 1000;
    case 2:
        return (double)next_random();
    case 3:
        return below(2) == 0 ? NAN : -INFINITY;
    default:
        return u.value;
    }
}

static struct hf_view random_payload(char *at)
{
    int n = snprintf(at, 200, "{%s\"a\": [%" PRIu64 ",%snull, \"\\u00e4 x\"],\r\n \"b\":%s{}}",
                     below(2) == 0 ? "\n" : "", below(100), below(2) == 0 ? "\r" : " ", below(2) == 0 ? "\n\t" : "");

    return (struct hf_view){at, (size_t)n};
}

static void make_random(struct hf_event *event, char *room)
{
    static const enum hf_source_class classes[] = {HF_SOURCE_HTTP, HF_SOURCE_NODE, HF_SOURCE_AGENT};

    *event = (struct hf_event){.kind = (enum hf_event_kind)below(HF_EVENT_KINDS),
                               .source_class = classes[below(3)],
                               .severity = (enum hf_severity)(1 + below(24)),
                               .unix_ns = below(2) == 0 ? next_random() % 18428000000000000000ull : T0,
                               .origin_sequence = below(2) == 0 ? next_random() : 0,
                               .anomaly = below(2) == 0,
                               .window_ns = below(2) == 0 ? next_random() : 0,
                               .n_attributes = below(4) == 0 ? below(HF_EVENT_MAX_ATTRIBUTES + 1) : below(3)};
    event->source = hf_view_of(hf_event_class_name(event->source_class));
    struct hf_view *const parts[] = {&event->id, &event->origin, &event->key, &event->boundary, &event->name};
    for (size_t i = 0; i < HF_LEN(parts); i++)
        *parts[i] = random_text(room += 200, 100);
    for (size_t i = 0; i < event->n_attributes; i++) {
        room += 200;
        do
            event->attributes[i].name = random_text(room, 40);
        while (hf_event_repeats_attribute(event, i));
        event->attributes[i].value = random_text(room += 200, 100);
    }
    if (event->kind == HF_EVENT_METRIC) {
        event->value_kind = (enum hf_value_kind)(1 + below(3));
        event->value = random_value();
        event->histogram = below(2) == 0 ? V("{\"count\":1}") : V("");
    } else if (event->kind == HF_EVENT_PAYLOAD) {
        event->body = random_payload(room += 200);
        event->checksum = random_text(room += 200, 64);
    } else {
        event->body = random_text(room += 200, 4000);
        event->truncated = below(2) == 0;
    }
}

static void same_view(const char *what, struct hf_view a, struct hf_view b)
{
    ck_assert_msg(a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0), "%s: '%.*s' is not '%.*s' in %s", what,
                  (int)a.n, a.p, (int)b.n, b.p, hf_buf_str(&line));
}

static void same_event(const struct hf_event *a, const struct hf_event *b)
{
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_int_eq(a->source_class, b->source_class);
    ck_assert_int_eq(a->severity, b->severity);
    ck_assert_uint_eq(a->unix_ns, b->unix_ns);
    ck_assert_uint_eq(a->origin_sequence, b->origin_sequence);
    ck_assert_uint_eq(a->window_ns, b->window_ns);
    ck_assert(a->anomaly == b->anomaly && a->truncated == b->truncated && a->value_kind == b->value_kind);
    ck_assert_msg((isnan(a->value) && isnan(b->value)) ||
                      (a->value == b->value && signbit(a->value) == signbit(b->value)),
                  "%.17g is not %.17g in %s", a->value, b->value, hf_buf_str(&line));
    same_view("id", a->id, b->id);
    same_view("source", a->source, b->source);
    same_view("origin", a->origin, b->origin);
    same_view("key", a->key, b->key);
    same_view("body", a->body, b->body);
    same_view("checksum", a->checksum, b->checksum);
    same_view("boundary", a->boundary, b->boundary);
    same_view("name", a->name, b->name);
    same_view("histogram", a->histogram, b->histogram);
    ck_assert_uint_eq(a->n_attributes, b->n_attributes);
    for (size_t i = 0; i < a->n_attributes; i++) {
        same_view("attribute", a->attributes[i].name, b->attributes[i].name);
        same_view("attribute's value", a->attributes[i].value, b->attributes[i].value);
    }
}

START_TEST(there_and_back)
{
    static char room[20000];
    static struct hf_event event, read;
    struct hf_view node;

    seed = 1;
    for (int i = 0; i < 3000; i++) {
        make_random(&event, room);
        format(&event, "node-1");
        ck_assert_msg(memchr(line.p, '\n', line.n) == NULL && memchr(line.p, '\r', line.n) == NULL, "%s", line.p);
        int r = hf_event_parse(hf_buf_view(&line), &read, &node, &scratch);
        ck_assert_msg(r == 0, "%d: %s", r, hf_buf_str(&line));
        ck_assert(hf_view_eq(node, "node-1"));
        same_event(&event, &read);
        hf_buf_clear(&again);
        ck_assert_int_eq(hf_event_format(&read, "node-1", &again), 0);
        ck_assert_str_eq(hf_buf_str(&line), hf_buf_str(&again));
    }
}
END_TEST

/* Another reader of JSON agrees that it is JSON, and on what it says. */
START_TEST(another_reader_agrees)
{
    static char room[20000];
    static struct hf_event event;
    struct hf_err err = HF_ERR_INIT;

    seed = 77;
    for (int i = 0; i < 300; i++) {
        _cleanup_(hf_json_freep) json_t *json = NULL;
        make_random(&event, room);
        for (size_t k = 1; k < event.n_attributes; k++) /* it takes no name twice */
            event.n_attributes = 1;
        format(&event, NULL);
        if (hf_json_parse(hf_buf_view(&line), NULL, &json, &err) < 0) {
            ck_assert_msg(event.origin_sequence > INT64_MAX || event.window_ns > INT64_MAX ||
                              (fabs(event.value) >= 9e18 && isfinite(event.value)),
                          "%s: %s", err.cause, hf_buf_str(&line));
            continue;
        }
        if (event.kind != HF_EVENT_PAYLOAD && event.kind != HF_EVENT_METRIC)
            same_view("body", hf_view_of(hf_json_str(json, "body")), event.body);
        if (event.kind == HF_EVENT_METRIC && isfinite(event.value))
            ck_assert(json_number_value(json_object_get(json, "value")) == event.value);
    }
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------------------------------- */

static char huge[1 << 20];

START_TEST(cuts_long_logs)
{
    static struct hf_event read;
    struct hf_view node;
    static const struct {
        const char *name, *piece;
        size_t n, least, most; /* of body kept */
    } rows[] = {
        {"just fits", "x", HF_EVENT_MAX_BODY, HF_EVENT_MAX_BODY, HF_EVENT_MAX_BODY},
        {"one more", "x", HF_EVENT_MAX_BODY + 1, HF_EVENT_MAX_BODY, HF_EVENT_MAX_BODY},
        {"control characters", "\x01", HF_EVENT_MAX_BODY, 60000, HF_EVENT_MAX_TEXT / 6},
        {"quotes", "\"", HF_EVENT_MAX_BODY, 190000, HF_EVENT_MAX_TEXT / 2},
        {"wide characters", "\xe2\x82\xac", HF_EVENT_MAX_BODY + 500, HF_EVENT_MAX_BODY - 3, HF_EVENT_MAX_BODY},
    };

    for (size_t i = 0; i < sizeof(huge); i++)
        huge[i] = rows[_i].piece[i % strlen(rows[_i].piece)];
    const struct hf_event event = {.unix_ns = T0, .body = {huge, rows[_i].n}};
    format(&event, "n");
    ck_assert_uint_le(line.n, HF_EVENT_MAX_TEXT);
    ck_assert_int_eq(hf_event_parse(hf_buf_view(&line), &read, &node, &scratch), 0);
    ck_assert_msg(read.body.n >= rows[_i].least && read.body.n <= rows[_i].most, "%s: %zu kept", rows[_i].name,
                  read.body.n);
    ck_assert(memcmp(read.body.p, huge, read.body.n) == 0);
    ck_assert(read.truncated == (read.body.n < rows[_i].n));
}
END_TEST

START_TEST(refuses_what_cannot_be_cut)
{
    memset(huge, '"', sizeof(huge));
    const struct hf_event rows[] = {
        {.kind = HF_EVENT_PAYLOAD, .body = {huge, HF_EVENT_MAX_BODY + 1}},
        {.id = {huge, HF_EVENT_MAX_TEXT}},
        {.attributes = {{V("a"), {huge, HF_EVENT_MAX_TEXT / 2 + 1}}}, .n_attributes = 1},
        {.attributes = {{V("a"), {huge, 150000}}}, .n_attributes = 1, .key = {huge, 60000}},
        {.name = {huge, HF_EVENT_MAX_TEXT - 40}},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        hf_buf_clear(&line);
        ck_assert_int_eq(hf_buf_add_str(&line, "kept"), 0);
        ck_assert_int_eq(hf_event_format(&rows[i], NULL, &line), -E2BIG);
        ck_assert_str_eq(hf_buf_str(&line), "kept");
    }
    _cleanup_(hf_buf_done) struct hf_buf small = HF_BUF_INIT(100);
    ck_assert_int_eq(hf_event_format(&texts[0].event, "a-node-of-this-name", &small), -E2BIG);
    ck_assert_uint_eq(small.n, 0);
}
END_TEST

START_TEST(appends)
{
    hf_buf_clear(&line);
    for (size_t i = 0; i < 100; i++)
        ck_assert_int_eq(hf_event_format(&texts[i % HF_LEN(texts)].event, NULL, &line), 0);
    const char *at = hf_buf_str(&line);
    for (size_t i = 0; i < 100; i++) {
        ck_assert(strncmp(at, texts[i % HF_LEN(texts)].want, strlen(texts[i % HF_LEN(texts)].want)) == 0);
        at += strlen(texts[i % HF_LEN(texts)].want);
    }
}
END_TEST

/* ---- reading what others wrote --------------------------------------------------------------------------------------- */

#define OK "\"time\":\"2026-11-20T11:16:38Z\",\"kind\":\"log\""
#define PAYLOAD "\"time\":\"2026-11-20T11:16:38Z\",\"kind\":\"payload\""
#define METRIC "\"time\":\"2026-11-20T11:16:38Z\",\"kind\":\"metric\""
#define FINDING "\"time\":\"2026-11-20T11:16:38Z\",\"kind\":\"finding\""

static const struct {
    const char *text;
    int want;
} readings[] = {
    {"{" OK "}", 0},
    {" { \"kind\" : \"log\" ,\n\t\"time\" : \"2026-11-20T11:16:38.5Z\" } ", 0},
    {"{" OK ",\"unknown\":[{\"a\":[1,2.5e-3,{}]},[],null]}", 0},
    {"{" OK ",\"attributes\":{}}", 0},
    {"{" OK ",\"id\":\"\\ud83d\\ude00\\u00e4\"}", 0},
    {"{" OK ",\"value\":1e2,\"type\":\"gauge\"}", 0},
    {"", -EBADMSG},
    {"{}", -EBADMSG},
    {"null", -EBADMSG},
    {"{" OK, -EBADMSG},
    {"{" OK ",}", -EBADMSG},
    {"{" OK "}x", -EBADMSG},
    {"{" OK "}{" OK "}", -EBADMSG},
    {"{" OK ",\"kind\":\"log\"}", -EBADMSG},
    {"{" OK ",\"id\":\"a\",\"id\":\"a\"}", -EBADMSG},
    {"{" OK ",\"id\":1}", -EBADMSG},
    {"{" OK ",\"id\":\"a}", -EBADMSG},
    {"{" OK ",\"id\":\"\n\"}", -EBADMSG},
    {"{" OK ",\"id\":\"\xff\"}", -EBADMSG},
    {"{" OK ",\"id\":\"\\x\"}", -EBADMSG},
    {"{" OK ",\"id\":\"\\u12\"}", -EBADMSG},
    {"{" OK ",\"unknown\":01}", -EBADMSG},
    {"{" PAYLOAD ",\"sensorData\":null}", 0},
    {"{" PAYLOAD "}", -EBADMSG},
    {"{" OK ",\"unknown\":1.}", -EBADMSG},
    {"{" OK ",\"unknown\":nul}", -EBADMSG},
    {"{" OK ",\"unknown\":[1,]}", -EBADMSG},
    {"{" OK ",\"unknown\":[1}", -EBADMSG},
    {"{" OK ",\"unknown\":{\"a\"}}", -EBADMSG},
    {"{" OK ",\"unknown\":{\"a\":1,}}", -EBADMSG},
    {"{" OK ",\"attributes\":{\"a\":1}}", -EBADMSG},
    {"{" OK ",\"attributes\":[]}", -EBADMSG},
    {"{" OK ",\"severity\":\"loud\"}", -EBADMSG},
    {"{" OK ",\"severityNumber\":25}", -EBADMSG},
    {"{" OK ",\"severityNumber\":0}", -EBADMSG},
    {"{" OK ",\"value\":\"1\"}", -EBADMSG},
    {"{" OK ",\"value\":1e999}", -EBADMSG},
    {"{" OK ",\"value\":1,\"valueText\":\"NaN\"}", -EBADMSG},
    {"{" OK ",\"value\":null,\"valueText\":\"Infinity\"}", -EBADMSG},
    {"{" OK ",\"type\":\"set\"}", -EBADMSG},
    {"{" OK ",\"windowNs\":-1}", -EBADMSG},
    {"{" OK ",\"windowNs\":18446744073709551616}", -EBADMSG},
    {"{" OK ",\"anomaly\":\"true\"}", -EBADMSG},
    {"{" OK ",\"histogram\":[]}", -EBADMSG},
    {"{" OK ",\"histogram\":{\n}}", -EBADMSG},
    {"{" OK ",\"summary\":{\r}}", -EBADMSG},
    {"{" PAYLOAD ",\"sensorData\":{ },\"sensorDataBreaks\":[1]}", 0},
    {"{" PAYLOAD ",\"sensorData\":{},\"sensorDataBreaks\":[1]}", -EBADMSG},
    {"{" PAYLOAD ",\"sensorData\":{ },\"sensorDataBreaks\":[2]}", -EBADMSG},
    {"{" PAYLOAD ",\"sensorData\":\"a b\",\"sensorDataBreaks\":[2]}", -EBADMSG},
    {"{" PAYLOAD ",\"sensorData\":{ },\"sensorDataBreaks\":[]}", -EBADMSG},
    {"{" PAYLOAD ",\"sensorDataBreaks\":[1]}", -EBADMSG},
    /* The body of a payload goes into the line as it stands, so it comes from "sensorData" alone, which is checked JSON. */
    {"{" PAYLOAD ",\"body\":\"text\"}", -EBADMSG},
    {"{\"body\":\"text\"," PAYLOAD "}", -EBADMSG},
    {"{" PAYLOAD ",\"sensorData\":{},\"body\":\"text\"}", -EBADMSG},
    {"{" PAYLOAD ",\"body\":\"1},{\\\"node\\\":\\\"forged\\\"\"}", -EBADMSG},
    {"{" OK ",\"sensorData\":{}}", -EBADMSG},
    {"{" OK ",\"body\":\" \",\"sensorDataBreaks\":[0]}", -EBADMSG},
    {"{" OK ",\"body\":\"text\"}", 0},
    {"{" METRIC ",\"body\":\"text\"}", 0},
    {"{" FINDING ",\"body\":\"text\"}", 0},
    {"{" METRIC ",\"sensorData\":{}}", -EBADMSG},
    {"{" FINDING ",\"sensorData\":{}}", -EBADMSG},
    {"{" OK ",\"sensorDataBreaks\":[1]}", -EBADMSG},
    {"{\"kind\":\"log\"}", -EBADMSG},
    {"{\"time\":\"2026-11-20T11:16:38Z\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"2026-11-20T11:16:38\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"2026-11-20T11:16:38+01:00\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"2026-02-29T11:16:38Z\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"2028-02-29T11:16:38Z\"}", 0},
    {"{\"kind\":\"log\",\"time\":\"2100-02-29T11:16:38Z\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"2026-13-01T11:16:38Z\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"2026-11-20T24:00:00Z\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"1969-11-20T11:16:38Z\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"2554-11-20T11:16:38Z\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"2026-11-20T11:16:38.Z\"}", -EBADMSG},
    {"{\"kind\":\"log\",\"time\":\"2026-11-20T11:16:38.0123456789Z\"}", -EBADMSG},
};

START_TEST(reads)
{
    static struct hf_event event;
    struct hf_view text = hf_view_of(readings[_i].text), node;
    char *exact = malloc(text.n + 1); /* so that one byte too many is seen */

    memcpy(exact, text.p, text.n);
    int r = hf_event_parse((struct hf_view){exact, text.n}, &event, &node, &scratch);
    ck_assert_msg(r == readings[_i].want, "%s: %d", readings[_i].text, r);
    for (size_t n = 0; n < text.n && readings[_i].want == 0;
         n++) { /* nothing shorter is an event; nothing reads past its end */
        char *cut = malloc(n + 1);
        memcpy(cut, text.p, n);
        r = hf_event_parse((struct hf_view){cut, n}, &event, &node, &scratch);
        ck_assert(r == -EBADMSG || text.p[n] == ' ');
        free(cut);
    }
    free(exact);
}
END_TEST

/* Another agent's event is written again as one line that holds one object, whatever text it carries. */
START_TEST(forges_no_second_record)
{
    static const char *const kinds[] = {"log", "metric", "finding", "payload"};
    static struct hf_event event;
    char posted[256];
    struct hf_view node;

    (void)snprintf(posted, sizeof(posted),
                   "{\"time\":\"2026-11-20T11:16:38Z\",\"kind\":\"%s\","
                   "\"body\":\"1},{\\\"node\\\":\\\"forged\\\"\"}",
                   kinds[_i]);
    int r = hf_event_parse(hf_view_of(posted), &event, &node, &scratch);
    if (r == 0) {
        const char *text = format(&event, "here");
        struct hf_scan scan;
        hf_scan_init(&scan, hf_view_of(text));
        ck_assert_msg(hf_scan_raw(&scan, NULL) == 0 && hf_scan_end(&scan) == 0, "%s became %s", posted, text);
    }
    ck_assert_int_eq(r, _i < 3 ? 0 : -EBADMSG);
}
END_TEST

START_TEST(reads_deep)
{
    static struct hf_event event;
    struct hf_view node;

    for (size_t depth = 63; depth <= 65; depth++) {
        hf_buf_clear(&line);
        ck_assert_int_eq(hf_buf_add_str(&line, "{" PAYLOAD ",\"sensorData\":"), 0);
        for (size_t i = 0; i < depth; i++)
            ck_assert_int_eq(hf_buf_add_str(&line, "["), 0);
        for (size_t i = 0; i < depth; i++)
            ck_assert_int_eq(hf_buf_add_str(&line, "]"), 0);
        ck_assert_int_eq(hf_buf_add_str(&line, "}"), 0);
        ck_assert_int_eq(hf_event_parse(hf_buf_view(&line), &event, &node, &scratch), depth > 64 ? -EBADMSG : 0);
    }
}
END_TEST

START_TEST(reads_limits)
{
    static struct hf_event event;
    struct hf_view node;
    _cleanup_(hf_buf_done) struct hf_buf small = HF_BUF_INIT(16);

    memset(huge, ' ', sizeof(huge));
    ck_assert_int_eq(hf_event_parse((struct hf_view){huge, HF_EVENT_MAX_TEXT + 1}, &event, &node, &scratch), -E2BIG);
    ck_assert_int_eq(hf_event_parse(hf_view_of("{" OK ",\"id\":\"\\n\"}"), &event, &node, &small), -E2BIG);
    hf_buf_clear(&line);
    ck_assert_int_eq(hf_buf_add_str(&line, "{" OK ",\"attributes\":{\"0\":\"\""), 0);
    for (int i = 1; i <= HF_EVENT_MAX_ATTRIBUTES; i++)
        ck_assert_int_eq(hf_buf_addf(&line, ",\"%d\":\"\"", i), 0);
    ck_assert_int_eq(hf_buf_add_str(&line, "}}"), 0);
    ck_assert_int_eq(hf_event_parse(hf_buf_view(&line), &event, &node, &scratch), -EBADMSG);
}
END_TEST

/* ---- names ----------------------------------------------------------------------------------------------------------- */

START_TEST(names)
{
    for (unsigned i = 1; i < HF_SOURCE_CLASSES; i++)
        ck_assert_int_eq(hf_event_class_of(hf_view_of(hf_event_class_name((enum hf_source_class)i))), i);
    ck_assert_int_eq(hf_event_class_of(V("journald:x.service")), HF_SOURCE_JOURNALD);
    ck_assert_int_eq(hf_event_class_of(V("nobody")), HF_SOURCE_HTTP);
    ck_assert_int_eq(hf_event_class_of(V("")), HF_SOURCE_HTTP);
    ck_assert_str_eq(hf_event_class_name((enum hf_source_class)99), "");
    ck_assert_str_eq(hf_event_kind_name(HF_EVENT_FINDING), "finding");
    ck_assert_str_eq(hf_event_value_kind_name(HF_VALUE_COUNTER), "counter");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, writes, 0, (int)HF_LEN(texts));
    tcase_add_test(tc, names_the_node);
    tcase_add_loop_test(tc, writes_numbers, 0, (int)HF_LEN(numbers));
    tcase_add_test(tc, there_and_back);
    tcase_add_test(tc, another_reader_agrees);
    tcase_add_loop_test(tc, cuts_long_logs, 0, 5);
    tcase_add_test(tc, refuses_what_cannot_be_cut);
    tcase_add_test(tc, appends);
    tcase_add_loop_test(tc, reads, 0, (int)HF_LEN(readings));
    tcase_add_loop_test(tc, forges_no_second_record, 0, 4);
    tcase_add_test(tc, reads_deep);
    tcase_add_test(tc, reads_limits);
    tcase_add_test(tc, names);
}
HF_TEST_MAIN("telemetry/event", cases)
