/* SPDX-License-Identifier: Apache-2.0 */
/* POST /ingest through the real local server; only what stores the events is a double. */
#include <unistd.h>

#include "unit/loop/http_fixture.h"

#include "codec/sha256.h"
#include "codec/squeeze.h"
#include "loop/server/server.h"
#include "os/clock_posix.h"
#include "telemetry/source/ingest.h"
#include "telemetry/source/ingest_parse.h"

/* ---- the double: keeps what it is offered -------------------------------------------------------------------------------- */

enum { MAX_KEPT = 70000, MAX_HELD = 70000 };

struct kept {
    char id[HF_EVENT_MAX_ID + 1];
    char body[256];
    char line[1600];
};

static struct {
    size_t n; /* events stored */
    size_t calls;
    size_t room;     /* events that are still taken; then -EAGAIN */
    size_t error_at; /* the n-th call fails with ... */
    int error;
    bool hold;           /* receipts stay open until let_go() */
    bool no_ids;         /* duplicates are not looked for */
    const char *blocked; /* what -EAGAIN is about; NULL: room */
    enum hf_offer answer;
    struct hf_receipt *held[MAX_HELD];
    size_t n_held;
} sink;
static struct kept *kept;

static bool is_kept(struct hf_view id)
{
    for (size_t i = 0; i < sink.n && i < 64; i++)
        if (id.n > 0 && hf_view_eq(id, kept[i].id))
            return true;
    return false;
}

static void keep(const struct hf_event *event)
{
    if (sink.n < 64) {
        struct kept *k = &kept[sink.n];
        _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
        (void)snprintf(k->id, sizeof(k->id), "%.*s", (int)event->id.n, event->id.n > 0 ? event->id.p : "");
        (void)snprintf(k->body, sizeof(k->body), "%.*s", (int)event->body.n, event->body.n > 0 ? event->body.p : "");
        ck_assert_int_eq(hf_event_format(event, "here", &line), 0);
        (void)snprintf(k->line, sizeof(k->line), "%s", hf_buf_str(&line));
    }
    sink.n++;
}

static int take(void *ctx, const struct hf_event *event, struct hf_receipt *receipt)
{
    (void)ctx;
    sink.calls++;
    ck_assert_int_eq(event->source_class, HF_SOURCE_HTTP);
    if (sink.error_at == sink.calls)
        return sink.error;
    if (sink.room == 0)
        return -EAGAIN;
    if (sink.answer != HF_OFFER_STORED)
        return sink.answer;
    if (!sink.no_ids && is_kept(event->id))
        return HF_OFFER_DUPLICATE;
    sink.room--;
    keep(event);
    if (sink.hold) {
        hf_receipt_hold(receipt);
        sink.held[sink.n_held++] = receipt;
    }
    return HF_OFFER_STORED;
}

static int blocked(void *ctx, char *text, size_t n)
{
    (void)ctx;
    if (sink.blocked != NULL)
        (void)snprintf(text, n, "%s", sink.blocked);
    return sink.blocked == NULL ? 0 : strstr(sink.blocked, "share") != NULL ? -EDQUOT : -ENODEV;
}

static void let_go(int r)
{
    for (size_t i = 0; i < sink.n_held; i++)
        hf_receipt_release(sink.held[i], r);
    sink.n_held = 0;
}

/* ---- what is served ------------------------------------------------------------------------------------------------------ */

static struct hf_server *local;
static struct hf_source *source;
static struct hf_ids *ids;
static struct hf_metrics *metrics;
static struct hf_telemetry_env world;
static const struct hf_intake intake = {.offer = take, .blocked = blocked};

static uint64_t random_u64(void *ctx)
{
    static uint64_t x = 88172645463325252u;

    (void)ctx;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}
static const struct hf_rand_ops rng = {.u64 = random_u64};

static void serve(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    (void)arg;
    if (source != NULL)
        hf_source_http_serve(source, request, exchange);
    else
        hf_server_answer(exchange, 404, NULL, NULL, HF_VIEW("off"));
}

static void set_up(void)
{
    static const struct hf_server_route routes[] = {
        {.path = "/ingest", .method = "POST", .max_body = HF_INGEST_MAX_BODY, .start = serve},
    };
    struct hf_err err = HF_ERR_INIT;

    kept = calloc(64, sizeof(*kept));
    sink.room = SIZE_MAX;
    loop = hf_loop_new(NULL);
    metrics = hf_metrics_new();
    ids = hf_ids_new(0, &rng);
    world = (struct hf_telemetry_env){
        .loop = loop, .clock = hf_clock_posix(), .sched = hf_loop_sched(loop), .metrics = metrics, .node = "here"};
    ck_assert_int_eq(
        hf_server_new(loop,
                      &(struct hf_server_params){.address = "127.0.0.1", .routes = routes, .n_routes = HF_LEN(routes)},
                      &local, &err),
        0);
    ck_assert_int_eq(hf_source_http_new(NULL, &world, &intake, &source, &err), 0);
    hf_source_http_set_ids(source, ids);
    server.port = hf_server_port(local);
    use(&(struct hf_http_config){.user_agent = "x"});
}

static void tear_down(void)
{
    if (source != NULL)
        source->free(source);
    let_go(0);
    hf_http_client_free(client);
    hf_loop_free(loop);
    hf_ids_free(ids);
    hf_metrics_free(metrics);
    free(kept);
}

#define JSON_TYPE "Content-Type: application/json"

/* With the type of JSON unless a header says another. */
static void post(struct outcome *o, struct hf_view body, const char *header, const char *header2)
{
    static const char type[] = "Content-Type";
    bool typed = (header != NULL && strncmp(header, type, strlen(type)) == 0) ||
                 (header2 != NULL && strncmp(header2, type, strlen(type)) == 0);
    struct hf_http_request request = {.timeout_ns = 30 * HF_NS_PER_S, .method = "POST", .body = body};
    size_t n = 0;

    if (!typed)
        request.headers[n++] = JSON_TYPE;
    if (header != NULL)
        request.headers[n++] = header;
    if (header2 != NULL)
        request.headers[n++] = header2;
    ask(o, request, "/ingest");
}

#define POST(o, body, header)                                                                                          \
    _cleanup_(outcome_done) struct outcome o = {.done = 0};                                                            \
    post(&o, body, header, NULL)

static void stop(void *arg)
{
    (void)arg;
    hf_loop_stop(loop);
}

static void run_for(uint64_t ns)
{
    const struct hf_sched_ops *sched = hf_loop_sched(loop);
    struct hf_timer *timer = hf_timer_new(sched, stop, NULL);

    hf_timer_arm(sched, timer, ns);
    hf_loop_run(loop);
    hf_timer_free(sched, timer);
}

#define DATA "{\"t\":21.5}"

static const char *sum_of(const char *text)
{
    static char hex[4][HF_SHA256_HEX];
    static unsigned next;

    return hf_sha256_hex(text, strlen(text), hex[next++ % 4]);
}

/* ---- what is taken ------------------------------------------------------------------------------------------------------- */

START_TEST(payload)
{
    char body[600];
    int n =
        snprintf(body, sizeof(body),
                 " {\"id\": \"p-1\", \"timestamp\":\"2026-11-20T08:00:00.25Z\",\"sensorData\" : " DATA
                 " ,\"checksum\":\"%s\", \"boundary\":\"eu\",\"severity\":\"warn\",\"key\":\"room\\u0031\","
                 "\"source\":\"gate\\\"way\",\"attributes\":{\"site\":\"B\\u00e9\",\"n\":3,\"on\":true,\"e\":\"\"}}\n",
                 sum_of(DATA));
    POST(o, ((struct hf_view){body, (size_t)n}), "Content-Type: application/json");
    ck_outcome(o, 0, 202);
    ck_assert_str_eq(o.body, "{\"accepted\":1,\"duplicates\":0,\"filtered\":0,\"refused\":0}\n");
    ck_assert_str_eq(o.response.content_type, "application/json");
    ck_assert_uint_eq(sink.n, 1);
    char want[900];
    (void)snprintf(
        want, sizeof(want),
        "{\"id\":\"p-1\",\"time\":\"2026-11-20T08:00:00.25Z\",\"node\":\"here\",\"source\":\"http:gate\\\"way\","
        "\"kind\":\"payload\",\"severity\":\"warning\",\"peerUid\":%u,\"key\":\"room1\",\"boundary\":\"eu\","
        "\"attributes\":{\"site\":\"B\xc3\xa9\",\"n\":\"3\",\"on\":\"true\",\"e\":\"\"},\"checksum\":\"%s\","
        "\"sensorData\":" DATA "}",
        (unsigned)geteuid(), sum_of(DATA));
    /* however the time's fraction is padded */
    ck_assert_str_eq(kept[0].id, "p-1");
    ck_assert_str_eq(strstr(kept[0].line, "\"node\""), strstr(want, "\"node\""));
    ck_assert_ptr_nonnull(strstr(kept[0].line, "\"time\":\"2026-11-20T08:00:00.25"));
}
END_TEST

static const struct {
    const char *body;
    size_t events;
    const char *id;      /* of the first; NULL: none was given */
    const char *data;    /* of the first */
    const char *in_line; /* of the first */
} taken[] = {
    {"{\"sensorData\":1}", 1, "", "1", "\"source\":\"http\""},
    {"\xef\xbb\xbf{\"sensorData\":1}", 1, "", "1", NULL},
    {"\xef\xbb\xbf [{\"id\":\"1\",\"sensorData\":1},{\"sensorData\":2}]", 2, "1", "1", NULL},
    {"\xef\xbb\xbf{\"id\":\"1\",\"sensorData\":1}\r\n{\"sensorData\":2}\r\n", 2, "1", "1", NULL},
    {"{\"sensorData\":\"x\"}", 1, "", "\"x\"", NULL},
    {"{\"sensorData\":[ 1, 2 ]}", 1, "", "[ 1, 2 ]", NULL},
    {"{\"sensorData\":false,\"id\":null,\"timestamp\":null,\"checksum\":null}", 1, "", "false", NULL},
    {"{\"id\":17,\"sensorData\":{}}", 1, "17", "{}", NULL},
    {"{\"\\u0069d\":\"a\\/b\",\"sensorData\":{}}", 1, "a/b", "{}", NULL},
    {"{\"id\":\"t\",\"timestamp\":1763625600,\"sensorData\":{}}", 1, "t", "{}", "\"time\":\"2025-11-20T08:00:00"},
    {"{\"id\":\"t\",\"timestamp\":1763625600123,\"sensorData\":{}}", 1, "t", "{}",
     "\"time\":\"2025-11-20T08:00:00.123"},
    {"{\"id\":\"t\",\"timestamp\":1763625600123456,\"sensorData\":{}}", 1, "t", "{}",
     "\"time\":\"2025-11-20T08:00:00.123456"},
    {"{\"id\":\"t\",\"timestamp\":1763625600123456789,\"sensorData\":{}}", 1, "t", "{}", "08:00:00.123456789Z"},
    {"{\"id\":\"t\",\"timestamp\":1763625600.5,\"sensorData\":{}}", 1, "t", "{}", "\"time\":\"2025-11-20T08:00:00.5"},
    {"{\"id\":\"t\",\"timestamp\":\"2025-11-20T09:00:00+01:00\",\"sensorData\":{}}", 1, "t", "{}",
     "2025-11-20T08:00:00"},
    {"{\"id\":\"s\",\"severity\":17,\"sensorData\":{}}", 1, "s", "{}", "\"severity\":\"error\""},
    {"{\"id\":\"big\",\"sensorData\":{\"v\":1e308,\"d\":{\"a\":1,\"b\":2}}}", 1, "big", NULL, NULL},
    {"[{\"id\":\"a\",\"sensorData\":1}]", 1, "a", "1", NULL},
    {"[{\"id\":\"a\",\"sensorData\":1},{\"id\":\"b\",\"sensorData\":2}\n,\n{\"sensorData\":3}]\n", 3, "a", "1", NULL},
    {"{\"id\":\"a\",\"sensorData\":1}\n{\"id\":\"b\",\"sensorData\":2}", 2, "a", "1", NULL},
    {"\r\n\n{\"id\":\"a\",\"sensorData\":1}\r\n\r\n{\"id\":\"b\",\"sensorData\":2}\r\n", 2, "a", "1", NULL},
    {"{\"id\":\"n-1\",\"time\":\"2026-11-20T08:00:00.000000001Z\",\"node\":\"far\",\"source\":\"journald:a.service\","
     "\"kind\":\"log\",\"severity\":\"error\",\"originSequence\":42,\"body\":\"it \\\"broke\\\"\"}",
     1, "n-1", "it \"broke\"", "\"origin\":\"far\",\"originSequence\":42"},
    {"{\"id\":\"n-2\",\"time\":\"2026-11-20T08:00:00.000000001Z\",\"node\":\"gate\",\"source\":\"node\",\"kind\":"
     "\"metric\","
     "\"origin\":\"far\",\"originSequence\":7,\"name\":\"cpu\",\"type\":\"gauge\",\"value\":1.5}\n{\"sensorData\":5}",
     2, "n-2", NULL, "\"origin\":\"far\",\"originSequence\":7"},
};

START_TEST(takes)
{
    POST(o, hf_view_of(taken[_i].body), "Content-Type: application/json; charset=utf-8");
    ck_assert_msg(o.response.status == 202, "%s: %d %s", taken[_i].body, o.response.status, o.body);
    ck_assert_uint_eq(sink.n, taken[_i].events);
    ck_assert_str_eq(kept[0].id, taken[_i].id);
    if (taken[_i].data != NULL)
        ck_assert_str_eq(kept[0].body, taken[_i].data);
    if (taken[_i].in_line != NULL)
        ck_assert_msg(strstr(kept[0].line, taken[_i].in_line) != NULL, "%s", kept[0].line);
}
END_TEST

START_TEST(content_types)
{
    static const char *const fine[] = {"Content-Type: application/json", "Content-Type: application/x-ndjson",
                                       "Content-Type: APPLICATION/NDJSON", "Content-Type: application/jsonl",
                                       "Content-Type: application/vnd.x+json"};
    for (size_t i = 0; i < HF_LEN(fine); i++) {
        POST(o, HF_VIEW("{\"sensorData\":1}\n{\"sensorData\":2}\n"), fine[i]);
        ck_assert_msg(o.response.status == 202, "%s: %d %s", fine[i], o.response.status, o.body);
    }
    ck_assert_uint_eq(sink.n, 2 * HF_LEN(fine));
    POST(array, HF_VIEW("[{\"sensorData\":1}]"), "Content-Type: application/x-ndjson"); /* a line is an object */
    ck_outcome(array, 0, 400);
}
END_TEST

static void pack(enum hf_squeeze_kind kind, struct hf_view text, struct hf_buf *packed)
{
    _cleanup_(hf_squeeze_freep) struct hf_squeeze *squeeze = hf_squeeze_new(kind);

    ck_assert_int_eq(hf_squeeze_begin(squeeze, packed), 0);
    ck_assert_int_eq(hf_squeeze_add(squeeze, text.p, text.n), 0);
    ck_assert_int_eq(hf_squeeze_end(squeeze), 0);
}

static const enum hf_squeeze_kind squeezes[] = {HF_SQUEEZE_GZIP, HF_SQUEEZE_ZSTD};

START_TEST(compressed)
{
    _cleanup_(hf_buf_done) struct hf_buf packed = HF_BUF_INIT(1 << 20), lines = HF_BUF_INIT(1 << 20);
    enum hf_squeeze_kind kind = squeezes[_i];
    char header[64];

    for (int i = 0; i < 3000; i++)
        ck_assert_int_eq(hf_buf_addf(&lines, "{\"id\":\"%d\",\"sensorData\":{\"t\":%d}}\n", i, i * 7919), 0);
    pack(kind, hf_buf_view(&lines), &packed);
    (void)snprintf(header, sizeof(header), "Content-Encoding: %s", hf_squeeze_name(kind));
    sink.no_ids = true;
    POST(o, hf_buf_view(&packed), header);
    ck_outcome(o, 0, 202);
    ck_assert_str_eq(o.body, "{\"accepted\":3000,\"duplicates\":0,\"filtered\":0,\"refused\":0}\n");
    ck_assert_uint_eq(sink.n, 3000);
    POST(other, hf_buf_view(&packed), kind == HF_SQUEEZE_GZIP ? "Content-Encoding: zstd" : "Content-Encoding: gzip");
    ck_outcome(other, 0, 400);
    ck_assert_uint_eq(sink.n, 3000);
}
END_TEST

START_TEST(header_checksum)
{
    static const char one[] = "{\"id\":\"a\",\"sensorData\":" DATA "}",
                      two[] = "{\"sensorData\":1}\n{\"sensorData\":2}\n";
    char good[128], whole[128], bad[128];

    (void)snprintf(good, sizeof(good), "X-Payload-Checksum: %s", sum_of(DATA));
    (void)snprintf(whole, sizeof(whole), "X-Payload-Checksum: %s", sum_of(two));
    (void)snprintf(bad, sizeof(bad), "X-Payload-Checksum: %064d", 0);
    POST(a, hf_view_of(one), good);
    ck_outcome(a, 0, 202);
    ck_assert_ptr_nonnull(strstr(kept[0].line, sum_of(DATA)));
    POST(b, hf_view_of(one), bad);
    ck_outcome(b, 0, 422);
    POST(c, hf_view_of(two), whole);
    ck_outcome(c, 0, 202);
    POST(d, hf_view_of(two), bad);
    ck_outcome(d, 0, 422);
    ck_assert_uint_eq(sink.n, 3);
}
END_TEST

START_TEST(long_header)
{
    static const char *const names[] = {"Idempotency-Key", "X-Payload-Checksum", "X-Device-Key"};
    static const int longest[] = {399, 95, 255}, statuses[] = {202, 422, 202};
    char header[512];

    for (size_t i = 0; i < 2 * HF_LEN(names); i++) {
        (void)snprintf(header, sizeof(header), "%s: %0*d", names[i / 2], longest[i / 2] + (int)(i % 2), 0);
        POST(o, HF_VIEW("{\"sensorData\":1}"), header);
        ck_outcome(o, 0, i % 2 == 0 ? statuses[i / 2] : 431);
        ck_assert(i % 2 == 0 || strcmp(o.body, "{\"error\":\"a header is too long\"}\n") == 0);
    }
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    const char *body;
    int status;
    const char *want; /* in the answer */
} bad[] = {
    {"empty", "", 400, "the body is empty"},
    {"blanks", " \r\n\t", 400, "the body is empty"},
    {"empty array", "[]", 400, "the body has no items"},
    {"cut in an object", "{\"id\":\"a\"", 400, "\"item\":0,\"line\":1,\"offset\":9"},
    {"cut in a string", "{\"id\":\"a", 400, "the text ends inside a string"},
    {"cut in a name", "{\"id", 400, "the text ends inside a string"},
    {"cut behind a colon", "{\"id\":", 400, "the text ends before a value"},
    {"cut behind a comma", "{\"id\":\"a\",", 400, "the text ends inside an object"},
    {"cut array", "[{\"sensorData\":1}", 400, "\"item\":1"},
    {"cut array behind a comma", "[{\"sensorData\":1},", 400, "\"item\":1"},
    {"cut second line", "{\"sensorData\":1}\n{\"sensorData\"", 400, "\"item\":1,\"line\":2"},
    {"array with a comma too many", "[{\"sensorData\":1},]", 400, "expected a value"},
    {"array without a comma", "[{\"sensorData\":1}{\"sensorData\":1}]", 400, "expected a comma or a closing bracket"},
    {"something behind the array", "[{\"sensorData\":1}] x", 400, "text after the end"},
    {"two arrays", "[{\"sensorData\":1}]\n[{\"sensorData\":1}]", 400, "text after the end"},
    {"two objects in a line", "{\"sensorData\":1}{\"sensorData\":2}", 400, "expected a line end"},
    {"array of arrays", "[[{\"sensorData\":1}]]", 400, "expected an object"},
    {"a number", "17", 400, "expected an object"},
    {"a string", "\"sensorData\"", 400, "expected an object"},
    {"null", "null", 400, "expected an object"},
    {"not JSON", "temperature=21", 400, "expected an object"},
    {"XML", "<a/>", 400, "expected a value"},
    {"two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf{\"sensorData\":1}", 400, "expected a value"},
    {"comment", "/* x */{\"sensorData\":1}", 400, "expected a value"},
    {"single quotes", "{'sensorData':1}", 400, "expected a member's name"},
    {"name without quotes", "{sensorData:1}", 400, "expected a member's name"},
    {"NaN", "{\"sensorData\":NaN}", 400, "expected a value"},
    {"nested NaN", "{\"sensorData\":{\"a\":[1,nan]}}", 400, "expected a value"},
    {"Infinity", "{\"sensorData\":-Infinity}", 400, "expected a value"},
    {"huge number", "{\"sensorData\":1e999}", 400, "number out of range"},
    {"hexadecimal", "{\"sensorData\":0x10}", 400, "invalid number"},
    {"leading zero", "{\"sensorData\":007}", 400, "invalid number"},
    {"plus", "{\"sensorData\":+1}", 400, "expected a value"},
    {"name twice", "{\"sensorData\":1,\"sensorData\":2}", 400, "duplicate member"},
    {"id twice", "{\"id\":\"a\",\"sensorData\":1,\"id\":\"b\"}", 400, "duplicate member"},
    {"name twice, with escapes", "{\"sensorData\":1,\"sensor\\u0044ata\":2}", 400, "duplicate member"},
    {"unknown member", "{\"sensorData\":1,\"sensordata\":2}", 400,
     "{\"error\":\"sensordata: unknown member: a payload has sensorData"},
    {"a flat reading", "{\"id\":\"a\",\"celsius\":21.5}", 400, "\"error\":\"celsius: unknown member"},
    {"unknown member with all sorts in it", "{\"a\\\"b<c>\\u0041 \xc3\xa9\":1}", 400,
     "\"error\":\"a??b?c??u0041???: unknown member"},
    {"unknown member of the second", "[{\"sensorData\":1},{\"sensorData\":2,\"unit\":3}]", 400,
     "attributes\",\"item\":1,\"line\":1,\"offset\":35}"},
    {"no data", "{\"id\":\"a\"}", 400, "sensorData: missing"},
    {"data null", "{\"sensorData\":null}", 400, "sensorData: missing"},
    {"empty object", "{}", 400, "sensorData: missing"},
    {"id empty", "{\"id\":\"\",\"sensorData\":1}", 400, "id: empty"},
    {"id an object", "{\"id\":{},\"sensorData\":1}", 400, "id: not a string"},
    {"id with a line end", "{\"id\":\"a\\nb\",\"sensorData\":1}", 400, "id: contains a control character"},
    {"id with U+0000", "{\"id\":\"a\\u0000b\",\"sensorData\":1}", 400, "id: not a valid string"},
    {"time in words", "{\"timestamp\":\"yesterday\",\"sensorData\":1}", 400, "timestamp: not a time"},
    {"time without a zone", "{\"timestamp\":\"2026-11-20T08:00:00\",\"sensorData\":1}", 400, "timestamp: not a time"},
    {"time before 1970", "{\"timestamp\":-1,\"sensorData\":1}", 400, "timestamp: not a time"},
    {"time beyond 2261", "{\"timestamp\":97636251600.5,\"sensorData\":1}", 400, "timestamp: not a time"},
    {"time far away", "{\"timestamp\":1e30,\"sensorData\":1}", 400, "timestamp: not a time"},
    {"time an object", "{\"timestamp\":{},\"sensorData\":1}", 400, "timestamp: not a time"},
    {"the year 1601", "{\"timestamp\":\"1601-01-01T00:00:00Z\",\"sensorData\":1}", 400,
     "timestamp: not a time between 1970 and 2261"},
    {"the year 9999", "{\"timestamp\":\"9999-12-31T23:59:59Z\",\"sensorData\":1}", 400,
     "timestamp: not a time between 1970 and 2261"},
    {"month 13", "{\"timestamp\":\"2026-13-20T08:00:00Z\",\"sensorData\":1}", 400, "timestamp: not a time"},
    {"severity unknown", "{\"severity\":\"bad\",\"sensorData\":1}", 400, "severity: not a severity"},
    {"severity 25", "{\"severity\":25,\"sensorData\":1}", 400, "severity: not a severity"},
    {"severity 1.5", "{\"severity\":1.5,\"sensorData\":1}", 400, "severity: not a severity"},
    {"boundary a number", "{\"boundary\":1,\"sensorData\":1}", 400, "boundary: not a string"},
    {"key empty", "{\"key\":\"\",\"sensorData\":1}", 400, "key: empty"},
    {"attributes a list", "{\"attributes\":[],\"sensorData\":1}", 400, "attributes: not an object"},
    {"attribute nested", "{\"attributes\":{\"a\":{}},\"sensorData\":1}", 400, "attributes: not a string"},
    {"attribute null", "{\"attributes\":{\"a\":null},\"sensorData\":1}", 400, "attributes: not a string"},
    {"attribute twice", "{\"attributes\":{\"a\":\"1\",\"a\":\"2\"},\"sensorData\":1}", 400, "duplicate member"},
    {"reading twice", "{\"sensorData\":{\"d\":[{\"a\":1,\"a\":2}]}}", 400, "duplicate member"},
    {"attribute without a name", "{\"attributes\":{\"\":\"1\"},\"sensorData\":1}", 400, "attributes: empty"},
    {"25 attributes",
     "{\"attributes\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,"
     "\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"r\":1,\"s\":1,\"t\":1,\"u\":1,\"v\":1,\"w\":1,\"x\":1,\"y\":1},"
     "\"sensorData\":1}",
     400, "attributes: too many members"},
    {"checksum wrong",
     "{\"sensorData\":1,\"checksum\":\"0000000000000000000000000000000000000000000000000000000000000000\"}", 422,
     "checksum: the checksum is not that of sensorData"},
    {"checksum short", "{\"sensorData\":1,\"checksum\":\"abc\"}", 422, "checksum: not the hexadecimal SHA-256"},
    {"checksum a number", "{\"sensorData\":1,\"checksum\":1}", 422, "checksum: not the hexadecimal SHA-256"},
    {"checksum of something else",
     "{\"sensorData\":1,\"checksum\":\"zz00000000000000000000000000000000000000000000000000000000000000\"}", 422,
     "checksum: not the hexadecimal SHA-256"},
    {"invalid UTF-8", "{\"sensorData\":\"\xff\"}", 400, "invalid UTF-8"},
    {"overlong UTF-8", "{\"sensorData\":\"\xc0\xaf\"}", 400, "invalid UTF-8"},
    {"surrogate in UTF-8", "{\"sensorData\":\"\xed\xa0\x80\"}", 400, "invalid UTF-8"},
    {"half a surrogate pair", "{\"sensorData\":\"\\ud800\"}", 400, "invalid escape sequence"},
    {"unknown escape", "{\"sensorData\":\"\\q\"}", 400, "invalid escape sequence"},
    {"control character", "{\"sensorData\":\"a\tb\"}", 400, "a control character inside a string"},
    {"event without a time", "{\"kind\":\"log\",\"id\":\"a\",\"node\":\"n\",\"source\":\"x\",\"body\":\"b\"}", 400,
     "not an event in the format of the agent"},
    {"event of an unknown kind", "{\"kind\":\"song\",\"id\":\"a\",\"time\":\"2026-11-20T08:00:00Z\",\"body\":\"b\"}",
     400, "not an event in the format of the agent"},
    {"event, checksum wrong",
     "{\"id\":\"a\",\"time\":\"2026-11-20T08:00:00Z\",\"node\":\"n\",\"source\":\"http\",\"kind\":\"payload\","
     "\"checksum\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"sensorData\":1}",
     422, "the checksum is not that of sensorData"},
    {"the third is bad", "[{\"sensorData\":1},{\"sensorData\":2},\n{\"sensorData\":}]", 400,
     "\"item\":2,\"line\":2,\"offset\":50"},
    {"the third line is bad", "{\"sensorData\":1}\n{\"sensorData\":2}\n{\"sensorData\":tru}\n{\"sensorData\":4}\n", 400,
     "\"item\":2,\"line\":3,\"offset\":48"},
};

/* Nothing is stored, nothing is quoted, and the next one is welcome. */
START_TEST(refuses)
{
    POST(o, hf_view_of(bad[_i].body), "Content-Type: application/json");
    ck_assert_msg(o.response.status == bad[_i].status && strstr(o.body, bad[_i].want) != NULL, "%s: %d %s",
                  bad[_i].name, o.response.status, o.body);
    ck_assert_uint_eq(sink.calls, 0);
    POST(next, HF_VIEW("{\"sensorData\":1}"), NULL);
    ck_outcome(next, 0, 202);
}
END_TEST

enum made {
    DEEP,
    DEEP_OBJECTS,
    LONG_ID,
    LONG_DATA,
    LONG_DATA_SECOND,
    LONG_NUMBER,
    MEGABYTE_LINE,
    MEGABYTE_NAME,
    MEGABYTE_BLANKS_THEN_CUT,
    MANY_MEMBERS,
    TOO_MANY_ITEMS,
    TOO_LONG,
    GZIP_BOMB,
    ZSTD_BOMB,
    GZIP_CUT,
    ZSTD_CUT,
    GZIP_GARBAGE,
    ZSTD_GARBAGE,
    ZEROS,
    MADE
};

static const struct {
    const char *name;
    const char *header;
    int status;
    const char *want;
} made[MADE] = {
    [DEEP] = {"10000 brackets", NULL, 400, "nested too deeply"},
    [DEEP_OBJECTS] = {"10000 objects", NULL, 400, "nested too deeply"},
    [LONG_ID] = {"id of 129 bytes", NULL, 400, "id: too long"},
    [LONG_DATA] = {"300 KB of data", NULL, 413, "sensorData: longer than"},
    [LONG_DATA_SECOND] = {"300 KB of data in the second", NULL, 413, "\"item\":1"},
    [LONG_NUMBER] = {"a number of 100 KB", NULL, 400, "number out of range"},
    [MEGABYTE_LINE] = {"a line of 1 MB that is one string", NULL, 413, "sensorData: longer than"},
    [MEGABYTE_NAME] = {"a name of 1 MB", NULL, 400, "...: unknown member"},
    [MEGABYTE_BLANKS_THEN_CUT] = {"1 MB of blanks, then half an object", NULL, 400, "\"line\":524289"},
    [MANY_MEMBERS] = {"50000 members", NULL, 400, "too many members"},
    [TOO_MANY_ITEMS] = {"65537 items", NULL, 413, "more than 65536 items"},
    [TOO_LONG] = {"a body of 4 MB and a byte", NULL, 413, "the body is too long"},
    [GZIP_BOMB] = {"a bomb in gzip", "Content-Encoding: gzip", 413, "too long"},
    [ZSTD_BOMB] = {"a bomb in zstd", "Content-Encoding: zstd", 413, "far more than was sent"},
    [GZIP_CUT] = {"gzip cut off", "Content-Encoding: gzip", 400, "cut off"},
    [ZSTD_CUT] = {"zstd cut off", "Content-Encoding: zstd", 400, "cut off"},
    [GZIP_GARBAGE] = {"no gzip", "Content-Encoding: gzip", 400, "damaged"},
    [ZSTD_GARBAGE] = {"no zstd", "Content-Encoding: zstd", 400, "damaged"},
    [ZEROS] = {"zeros", NULL, 400, "expected a value"},
};

static void add_many(struct hf_buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        ck_assert_int_eq(hf_buf_add_str(out, text), 0);
}

static void make_bomb(struct hf_buf *out, enum hf_squeeze_kind kind)
{
    _cleanup_(hf_squeeze_freep) struct hf_squeeze *squeeze = hf_squeeze_new(kind);
    static char blanks[1 << 20];

    memset(blanks, ' ', sizeof(blanks));
    ck_assert_int_eq(hf_squeeze_begin(squeeze, out), 0);
    for (int i = 0; i < 256; i++)
        ck_assert_int_eq(hf_squeeze_add(squeeze, blanks, sizeof(blanks)), 0);
    ck_assert_int_eq(hf_squeeze_end(squeeze), 0);
}

static void make_body(enum made which, struct hf_buf *out)
{
    static const char item[] = "{\"sensorData\":1}";

    switch (which) {
    case DEEP:
        add_many(out, "{\"sensorData\":", 1);
        add_many(out, "[", 10000);
        break;
    case DEEP_OBJECTS:
        add_many(out, "{\"sensorData\":", 10000);
        break;
    case LONG_ID:
        add_many(out, "{\"sensorData\":1,\"id\":\"", 1);
        add_many(out, "x", HF_EVENT_MAX_ID + 1);
        add_many(out, "\"}", 1);
        break;
    case LONG_DATA_SECOND:
        add_many(out, "{\"sensorData\":1}\n", 1); /* fallthrough */
    case LONG_DATA:
        add_many(out, "{\"sensorData\":[1", 1);
        add_many(out, ",123456789", 30000);
        add_many(out, "]}", 1);
        break;
    case LONG_NUMBER:
        add_many(out, "{\"sensorData\":", 1);
        add_many(out, "1234567890", 10000);
        add_many(out, "}", 1);
        break;
    case MEGABYTE_LINE:
        add_many(out, "{\"sensorData\":\"", 1);
        add_many(out, "0123456789", 100000);
        add_many(out, "\"}", 1);
        break;
    case MEGABYTE_NAME:
        add_many(out, "{\"", 1);
        add_many(out, "0123456789", 100000);
        add_many(out, "\":1}", 1);
        break;
    case MEGABYTE_BLANKS_THEN_CUT:
        add_many(out, " \n", 524288);
        add_many(out, "{\"sensorData\":", 1);
        break;
    case MANY_MEMBERS:
        add_many(out, "{\"sensorData\":1", 1);
        for (int i = 0; i < 50000; i++)
            ck_assert_int_eq(hf_buf_addf(out, ",\"m%d\":1", i), 0);
        add_many(out, "}", 1);
        break;
    case TOO_MANY_ITEMS:
        add_many(out, "{\"sensorData\":1}\n", HF_INGEST_MAX_ITEMS + 1);
        break;
    case TOO_LONG:
        add_many(out, " ", HF_INGEST_MAX_BODY + 1 - (sizeof(item) - 1));
        add_many(out, item, 1);
        break;
    case GZIP_BOMB:
    case ZSTD_BOMB:
        make_bomb(out, which == GZIP_BOMB ? HF_SQUEEZE_GZIP : HF_SQUEEZE_ZSTD);
        break;
    case GZIP_CUT:
    case ZSTD_CUT:
        pack(which == GZIP_CUT ? HF_SQUEEZE_GZIP : HF_SQUEEZE_ZSTD, HF_VIEW(item), out);
        out->n -= 3;
        break;
    case GZIP_GARBAGE:
    case ZSTD_GARBAGE:
        add_many(out, "this is nothing of the kind", 1);
        break;
    case ZEROS:
        for (int i = 0; i < 1000; i++)
            ck_assert_int_eq(hf_buf_add(out, "", 1), 0);
        break;
    case MADE:
        break;
    }
}

START_TEST(refuses_made)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(8 << 20);

    make_body((enum made)_i, &body);
    POST(o, hf_buf_view(&body), made[_i].header);
    ck_assert_msg(o.response.status == made[_i].status && strstr(o.body, made[_i].want) != NULL, "%s: %d %s",
                  made[_i].name, o.response.status, o.body);
    ck_assert_uint_eq(sink.calls, 0);
    POST(next, HF_VIEW("{\"sensorData\":1}"), NULL);
    ck_outcome(next, 0, 202);
}
END_TEST

START_TEST(refuses_headers)
{
    static const struct {
        const char *header;
        int status;
    } rows[] = {
        {"Content-Type: application/x-www-form-urlencoded", 415},
        {"Content-Type: text/plain", 415},
        {"Content-Type: application/octet-stream", 415},
        {"Content-Type: image/png", 415},
        {"Content-Type:", 415}, /* a page can send a body without a type */
        {"Content-Type: multipart/form-data; boundary=x", 415},
        {"Content-Type: a/\"b\"", 415},
        {"Content-Encoding: br", 415},
        {"Content-Encoding: gzip, zstd", 415},
        {"Content-Encoding: deflate", 415},
    };
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        POST(o, HF_VIEW("{\"sensorData\":1}"), rows[i].header);
        ck_assert_msg(o.response.status == rows[i].status, "%s: %d", rows[i].header, o.response.status);
        ck_assert_ptr_nonnull(strstr(o.body, "{\"error\":\""));
    }
    ck_assert_uint_eq(sink.calls, 0);
}
END_TEST

/* As `curl -d` sends it: refused, since any web page can make a browser send that here, but the answer says how. */
START_TEST(refuses_a_form_and_says_how)
{
    POST(o, HF_VIEW("{\"sensorData\":1}"), "Content-Type: application/x-www-form-urlencoded");
    ck_outcome(o, 0, 415);
    ck_assert_msg(strstr(o.body, "{\"error\":\"application/x-www-form-urlencoded: unsupported content type") ==
                          o.body &&
                      strstr(o.body, "curl -H 'Content-Type: application/json'") != NULL,
                  "%s", o.body);
}
END_TEST

/* Nobody who posts can claim a source of this agent, whatever form the item has; the kernel names the poster. */
START_TEST(forged_provenance)
{
    static const struct {
        const char *source, *passed_on;
    } rows[] = {
        {"journald:sshd.service", "\"source\":\"http:journald:sshd.service\""},
        {"agent", "\"source\":\"http:agent\""},
        {"agent:anomaly", "\"source\":\"http:agent:anomaly\""},
        {"file:/var/log/auth.log", "\"source\":\"http:file:/var/log/auth.log\""},
        {"http", "\"source\":\"http\""},
        {"http:press-7", "\"source\":\"http:press-7\""},
        {"https", "\"source\":\"http:https\""},
    };
    char body[512], uid[32];

    (void)snprintf(uid, sizeof(uid), "\"peerUid\":%u,", (unsigned)geteuid());
    for (size_t i = 0; i < HF_LEN(rows) * 2; i++) {
        const char *from = rows[i / 2].source;
        int n = i % 2 == 0
                    ? snprintf(body, sizeof(body), "{\"id\":\"%zu\",\"source\":\"%s\",\"sensorData\":1}", i, from)
                    : snprintf(body, sizeof(body),
                               "{\"id\":\"%zu\",\"time\":\"2026-11-20T08:00:00Z\",\"node\":\"here\",\"source\":\"%s\","
                               "\"kind\":\"finding\",\"peerUid\":0,\"peerUnit\":\"sshd.service\",\"name\":\"n\","
                               "\"body\":\"b\"}",
                               i, from);
        POST(o, ((struct hf_view){body, (size_t)n}), NULL);
        ck_outcome(o, 0, 202);
        const char *line = kept[sink.n - 1].line;
        ck_assert_msg(strstr(line, rows[i / 2].passed_on) != NULL && strstr(line, uid) != NULL &&
                          strstr(line, "peerUnit") == NULL,
                      "%s", line);
    }
    (void)memset(body, 'x', 300);
    (void)snprintf(body + 300, sizeof(body) - 300, "\",\"kind\":\"log\",\"body\":\"b\"}");
    _cleanup_(hf_freep) char *longer = hf_asprintf("{\"time\":\"2026-11-20T08:00:00Z\",\"source\":\"%s", body);
    POST(o, hf_view_of(longer), NULL);
    ck_outcome(o, 0, 400);
}
END_TEST

/* ---- what becomes of it --------------------------------------------------------------------------------------------------- */

START_TEST(answers_when_durable)
{
    struct outcome o = {.done = 0};

    sink.hold = true;
    dispatch(&o, (struct hf_http_request){.timeout_ns = 10 * HF_NS_PER_S,
                                          .method = "POST",
                                          .url = url_of(&server, "/ingest"),
                                          .headers = {JSON_TYPE},
                                          .body = HF_VIEW("[{\"sensorData\":1},{\"sensorData\":2}]")});
    run_for(100 * HF_NS_PER_MS);
    ck_assert_uint_eq(sink.n_held, 2);
    ck_assert_int_eq(o.done, 0);
    hf_receipt_release(sink.held[0], 0);
    run_for(50 * HF_NS_PER_MS);
    ck_assert_int_eq(o.done, 0); /* one of them is not */
    hf_receipt_release(sink.held[1], 0);
    sink.n_held = 0;
    hf_loop_run(loop);
    ck_outcome(o, 0, 202);
    outcome_done(&o);
}
END_TEST

START_TEST(store_fails_later)
{
    struct outcome o = {.done = 0};

    sink.hold = true;
    dispatch(&o, (struct hf_http_request){.timeout_ns = 10 * HF_NS_PER_S,
                                          .method = "POST",
                                          .url = url_of(&server, "/ingest"),
                                          .headers = {JSON_TYPE, "Idempotency-Key: n/s/1-1"},
                                          .body = HF_VIEW("{\"sensorData\":1}")});
    run_for(100 * HF_NS_PER_MS);
    let_go(-EIO);
    hf_loop_run(loop);
    ck_outcome(o, 0, 503);
    ck_assert_uint_eq(o.response.retry_after_ns, 5 * HF_NS_PER_S);
    ck_assert(!hf_ids_contains(ids, hf_ids_of_request(ids, HF_OWNER_UNKNOWN, HF_VIEW("n/s/1-1"))));
    outcome_done(&o);
}
END_TEST

static const struct {
    const char *name;
    size_t error_at;
    int error;
    enum hf_offer offer;
    int status;
    const char *want;
} ends[] = {
    {"store fails", 1, -EIO, HF_OFFER_STORED, 503, "\"accepted\":0"},
    {"store fails at the second", 2, -ENOSPC, HF_OFFER_STORED, 503, "\"accepted\":1"},
    {"can never be stored", 1, -E2BIG, HF_OFFER_STORED, 413, "\"accepted\":0"},
    {"duplicates", 0, 0, HF_OFFER_DUPLICATE, 202, "\"duplicates\":3"},
    {"filtered", 0, 0, HF_OFFER_FILTERED, 202, "\"filtered\":3"},
    {"aggregated", 0, 0, HF_OFFER_AGGREGATED, 202, "\"accepted\":3"},
    {"boundary", 0, 0, HF_OFFER_REFUSED_BOUNDARY, 422, "no sink accepts data of this boundary"},
};

START_TEST(outcomes)
{
    sink.error_at = ends[_i].error_at;
    sink.error = ends[_i].error;
    sink.answer = ends[_i].offer;
    POST(o, HF_VIEW("[{\"sensorData\":1},{\"sensorData\":2},{\"sensorData\":3}]"), NULL);
    ck_assert_msg(o.response.status == ends[_i].status && strstr(o.body, ends[_i].want) != NULL, "%s: %d %s",
                  ends[_i].name, o.response.status, o.body);
}
END_TEST

/* No room: wait a little, then 429 with Retry-After. */
START_TEST(back_pressure)
{
    sink.room = 0;
    POST(o, HF_VIEW("{\"sensorData\":1}"), NULL);
    ck_outcome(o, 0, 429);
    ck_assert_uint_eq(o.response.retry_after_ns, 2 * HF_NS_PER_S);
    ck_assert_uint_ge(o.took_ns, HF_INGEST_WAIT_S * HF_NS_PER_S);
    ck_assert_uint_eq(sink.n, 0);
    sink.room = 1;
    source->resume(source);
    ck_assert_uint_eq(sink.n, 0); /* it was told no, so it is not stored either */
    POST(next, HF_VIEW("{\"sensorData\":1}"), NULL);
    ck_outcome(next, 0, 202);
}
END_TEST

/* It is not room that is missing: no sender's patience helps, and the answer says what does. */
START_TEST(a_sink_that_cannot_be_used_is_named)
{
    sink.room = 0;
    sink.blocked = "sink 'two' cannot be used: open '/k.pem': No such file or directory";
    POST(o, HF_VIEW("{\"sensorData\":1}"), NULL);
    ck_outcome(o, 0, 503);
    ck_assert_msg(strstr(o.body, "\"error\":\"sink 'two' cannot be used: open '/k.pem'") != NULL, "%s", o.body);
    ck_assert_uint_eq(o.response.retry_after_ns, 5 * HF_NS_PER_S);
    ck_assert_uint_lt(o.took_ns, HF_INGEST_WAIT_S * HF_NS_PER_S); /* and nobody behind it waits */
    sink.room = 1;
    POST(next, HF_VIEW("[{\"sensorData\":1},{\"sensorData\":2}]"), NULL);
    ck_outcome(next, 0, 503);
    ck_assert_msg(strstr(next.body, "\"accepted\":1,") != NULL, "%s", next.body);
    sink.blocked = NULL;
    sink.room = 1;
    POST(last, HF_VIEW("{\"sensorData\":3}"), NULL);
    ck_outcome(last, 0, 202);
}
END_TEST

/* The sender has taken its share: it alone is told so, at once, and nobody waits behind it. */
START_TEST(a_share_that_is_full_is_named)
{
    sink.room = 0;
    sink.blocked = "this user's share of the queue is full: send it again later";
    POST(o, HF_VIEW("{\"sensorData\":1}"), NULL);
    ck_outcome(o, 0, 429);
    ck_assert_msg(strstr(o.body, "\"error\":\"this user's share of the queue is full") != NULL, "%s", o.body);
    ck_assert_uint_eq(o.response.retry_after_ns, 2 * HF_NS_PER_S);
    ck_assert_uint_lt(o.took_ns, HF_INGEST_WAIT_S * HF_NS_PER_S);
    sink.blocked = NULL;
    sink.room = 1;
    POST(next, HF_VIEW("{\"sensorData\":2}"), NULL);
    ck_outcome(next, 0, 202);
}
END_TEST

/* Room for half of a body: it goes on where it was, in order, those behind it wait, and all is taken exactly once. */
START_TEST(goes_on_where_it_was)
{
    static const char *const bodies[] = {
        "[{\"id\":\"1\",\"sensorData\":1},{\"id\":\"2\",\"sensorData\":2},{\"id\":\"3\",\"sensorData\":3}]",
        "{\"id\":\"4\",\"sensorData\":4}\n{\"id\":\"5\",\"sensorData\":5}\n{\"id\":\"6\",\"sensorData\":\"\\u00e4\"}\n",
        "{\"id\":\"7\",\"sensorData\":7}"};
    struct outcome o[3] = {{.done = 0}};

    sink.room = 0;
    sink.no_ids = true;
    for (int i = 0; i < 3; i++) {
        dispatch(&o[i], (struct hf_http_request){.timeout_ns = 10 * HF_NS_PER_S,
                                                 .method = "POST",
                                                 .url = url_of(&server, "/ingest"),
                                                 .headers = {JSON_TYPE},
                                                 .body = hf_view_of(bodies[i])});
        run_for(30 * HF_NS_PER_MS);
    }
    for (int i = 0; i < 10; i++) {
        sink.room = 1;
        source->resume(source);
        run_for(5 * HF_NS_PER_MS);
    }
    run_for(50 * HF_NS_PER_MS);
    ck_assert_uint_eq(sink.n, 7);
    for (size_t i = 0; i < 7; i++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "%zu", i + 1);
        ck_assert_str_eq(kept[i].id, id);
    }
    ck_assert_str_eq(kept[5].body, "\"\\u00e4\"");
    for (int i = 0; i < 3; i++) {
        ck_outcome(o[i], 0, 202);
        outcome_done(&o[i]);
    }
}
END_TEST

/* A body of many items does not hold up the loop, and is taken whole. */
START_TEST(long_bodies_take_turns)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(4 << 20);

    for (int i = 0; i < 20000; i++)
        ck_assert_int_eq(hf_buf_addf(&body, "%s{\"id\":\"%d\",\"sensorData\":%d}", i == 0 ? "[" : ",", i, i), 0);
    ck_assert_int_eq(hf_buf_add_str(&body, "]"), 0);
    sink.no_ids = true;
    POST(o, hf_buf_view(&body), NULL);
    ck_outcome(o, 0, 202);
    ck_assert_str_eq(o.body, "{\"accepted\":20000,\"duplicates\":0,\"filtered\":0,\"refused\":0}\n");
    ck_assert_uint_eq(sink.n, 20000);
}
END_TEST

/* What waits for room is bounded: bodies beyond that are told so at once. */
START_TEST(line_is_bounded)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(4 << 20);
    struct outcome o[3] = {{.done = 0}};

    for (int i = 0; i < 15; i++)
        ck_assert_int_eq(hf_buf_addf(&body, "{\"sensorData\":\"%0200000d\"}\n", i), 0);
    sink.room = 0;
    for (int i = 0; i < 3; i++) {
        dispatch(&o[i], (struct hf_http_request){.timeout_ns = 20 * HF_NS_PER_S,
                                                 .method = "POST",
                                                 .url = url_of(&server, "/ingest"),
                                                 .headers = {JSON_TYPE},
                                                 .body = hf_buf_view(&body)});
        for (int wait = 0; wait < 100 && sink.calls == 0; wait++)
            run_for(10 * HF_NS_PER_MS);
        run_for(150 * HF_NS_PER_MS);
    }
    for (int wait = 0; wait < 500 && o[2].done == 0; wait++)
        run_for(10 * HF_NS_PER_MS);
    ck_assert_int_eq(o[0].done + o[1].done, 0);
    ck_outcome(o[2], 0, 429);
    ck_assert_uint_eq(sink.calls, 1); /* those behind the first did not even ask */
    sink.room = SIZE_MAX;
    source->resume(source);
    for (int wait = 0; wait < 100 && o[1].done == 0; wait++)
        run_for(20 * HF_NS_PER_MS);
    ck_outcome(o[0], 0, 202);
    ck_outcome(o[1], 0, 202);
    ck_assert_uint_eq(sink.n, 30);
    for (int i = 0; i < 3; i++)
        outcome_done(&o[i]);
}
END_TEST

/* The same batch of another agent again: known by its key, nothing is looked through the store for. */
START_TEST(known_batch)
{
    static const char lines[] = "{\"id\":\"n-1\",\"time\":\"2026-11-20T08:00:00Z\",\"node\":\"far\",\"source\":"
                                "\"http\",\"kind\":\"log\",\"body\":\"a\"}\n"
                                "{\"id\":\"n-2\",\"time\":\"2026-11-20T08:00:00Z\",\"node\":\"far\",\"source\":"
                                "\"http\",\"kind\":\"log\",\"body\":\"b\"}\n";
    POST(o, HF_VIEW(lines), "Idempotency-Key: far/s1/1-2");
    ck_outcome(o, 0, 202);
    ck_assert_uint_eq(sink.calls, 2);
    POST(again, HF_VIEW(lines), "Idempotency-Key: far/s1/1-2");
    ck_outcome(again, 0, 202);
    ck_assert_str_eq(again.body, "{\"accepted\":0,\"duplicates\":2,\"filtered\":0,\"refused\":0}\n");
    ck_assert_uint_eq(sink.calls, 2);
    POST(other, HF_VIEW(lines), "Idempotency-Key: far/s1/3-4");
    ck_outcome(other, 0, 202);
    ck_assert_str_eq(other.body, "{\"accepted\":0,\"duplicates\":2,\"filtered\":0,\"refused\":0}\n"); /* by their ids */
}
END_TEST

/* Ids that are missing come from the key, so that a request sent again makes the same ones. */
START_TEST(made_ids)
{
    char long_key[160] = "Idempotency-Key: ";

    POST(o, HF_VIEW("[{\"sensorData\":1},{\"id\":\"own\",\"sensorData\":2},{\"sensorData\":3}]"),
         "Idempotency-Key: k1");
    ck_outcome(o, 0, 202);
    ck_assert_str_eq(kept[0].id, "k1#0");
    ck_assert_str_eq(kept[1].id, "own");
    ck_assert_str_eq(kept[2].id, "k1#2");
    memset(long_key + strlen(long_key), 'k', 120);
    POST(p, HF_VIEW("{\"sensorData\":4}"), long_key);
    ck_outcome(p, 0, 202);
    ck_assert_uint_eq(strlen(kept[3].id), 66);
}
END_TEST

/* The source goes while requests are open: what waits is told to come again, what was offered is answered when it is safe. */
START_TEST(freed_meanwhile)
{
    struct outcome o[3] = {{.done = 0}};

    sink.hold = true;
    sink.room = 2;
    for (int i = 0; i < 3; i++) {
        dispatch(&o[i], (struct hf_http_request){.timeout_ns = 10 * HF_NS_PER_S,
                                                 .method = "POST",
                                                 .url = url_of(&server, "/ingest"),
                                                 .headers = {JSON_TYPE},
                                                 .body = i == 1 ? HF_VIEW("[{\"sensorData\":1},{\"sensorData\":2}]")
                                                                : HF_VIEW("{\"sensorData\":1}")});
        run_for(30 * HF_NS_PER_MS);
    }
    ck_assert_uint_eq(sink.n_held, 2);
    source->free(source);
    source = NULL;
    run_for(50 * HF_NS_PER_MS);
    ck_assert_int_eq(o[0].done, 0);
    ck_outcome(o[2], 0, 503);
    let_go(0);
    run_for(50 * HF_NS_PER_MS);
    ck_outcome(o[0], 0, 202);
    ck_outcome(o[1], 0, 503); /* half of it is stored, and said so */
    ck_assert_ptr_nonnull(strstr(o[1].body, "\"accepted\":1"));
    for (int i = 0; i < 3; i++)
        outcome_done(&o[i]);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, payload);
    tcase_add_loop_test(tc, takes, 0, (int)HF_LEN(taken));
    tcase_add_test(tc, content_types);
    tcase_add_test(tc, forged_provenance);
    tcase_add_loop_test(tc, compressed, 0, (int)HF_LEN(squeezes));
    tcase_add_test(tc, header_checksum);
    tcase_add_test(tc, long_header);
    tcase_add_loop_test(tc, refuses, 0, (int)HF_LEN(bad));
    tcase_add_loop_test(tc, refuses_made, 0, MADE);
    tcase_add_test(tc, refuses_headers);
    tcase_add_test(tc, refuses_a_form_and_says_how);
    tcase_add_test(tc, answers_when_durable);
    tcase_add_test(tc, store_fails_later);
    tcase_add_loop_test(tc, outcomes, 0, (int)HF_LEN(ends));
    tcase_add_test(tc, back_pressure);
    tcase_add_test(tc, a_sink_that_cannot_be_used_is_named);
    tcase_add_test(tc, a_share_that_is_full_is_named);
    tcase_add_test(tc, goes_on_where_it_was);
    tcase_add_test(tc, long_bodies_take_turns);
    tcase_add_test(tc, line_is_bounded);
    tcase_add_test(tc, known_batch);
    tcase_add_test(tc, made_ids);
    tcase_add_test(tc, freed_meanwhile);
}

HF_TEST_MAIN("telemetry/ingest", cases)
