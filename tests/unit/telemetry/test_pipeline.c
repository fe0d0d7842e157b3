/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/pipeline/pipeline.h"

#include <errno.h>
#include <math.h>

#include "api/syncpolicy.h"
#include "support/check_main.h"

#define V(text) HF_VIEW(text)
#define S HF_NS_PER_S
#define UNIX0 (1700000000 * S) /* 2023-11-14T22:13:20Z */

/* ---- a policy, a pipeline, and what comes out as lines ----------------------------------------------------------- */

static struct hf_issues issues;
static struct hf_syncpolicy *policy;
static struct hf_pipeline *pipeline;
static struct hf_buf out = HF_BUF_INIT(8 << 20);
static json_t *labels;
static uint64_t now; /* seconds */
static size_t emitted;
static size_t refuse_at;     /* the n-th call of emit returns -EAGAIN once; 0: none */
static uint64_t refuse_seed; /* seed of random -EAGAIN in a third of the calls; 0: none */
static bool blocked;

static void set_up_with(const char *telemetry)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf yaml = HF_BUF_INIT(10000);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_buf_addf(&yaml, "{metadata: {name: p}, spec: {telemetry: {%s}}}", telemetry), 0);
    ck_assert_msg(hf_yaml_parse(hf_buf_view(&yaml), NULL, &json, &err) == 0, "%s", err.cause);
    int r = hf_syncpolicy_decode(json, &policy, &issues);
    ck_assert_msg(r == 0, "%s: %s", issues.errors[0].path, issues.errors[0].text);
    labels = json_pack("{s:s, s:s}", "topology.kubernetes.io/zone", "z1", "other", "x");
    pipeline = hf_pipeline_new(&policy->telemetry, labels);
    ck_assert_ptr_nonnull(pipeline);
    hf_buf_clear(&out);
    emitted = refuse_at = 0;
    refuse_seed = 0;
    now = 1000;
    blocked = false;
}

static void tear_down(void)
{
    hf_pipeline_free(pipeline);
    hf_syncpolicy_free(policy);
    json_decref(labels);
}

static int emit(void *arg, const struct hf_event *event)
{
    (void)arg;
    emitted++;
    refuse_seed = refuse_seed * 6364136223846793005u + (refuse_seed > 0 ? 1442695040888963407u : 0);
    if (blocked || emitted == refuse_at || (refuse_seed > 0 && (refuse_seed >> 33) % 3 == 0))
        return -EAGAIN;
    ck_assert_int_eq(hf_event_format(event, NULL, &out), 0);
    ck_assert_int_eq(hf_buf_add_str(&out, "\n"), 0);
    return 0;
}

static int offer(const struct hf_event *event)
{
    struct hf_event timed = *event;

    if (timed.unix_ns == 0)
        timed.unix_ns = UNIX0 + now * S;
    return hf_pipeline_offer(pipeline, &timed, now * S, UNIX0 + now * S, emit, NULL);
}

static int tick(void)
{
    return hf_pipeline_tick(pipeline, now * S, UNIX0 + now * S, emit, NULL);
}

static int offer_metric(const char *name, enum hf_value_kind kind, double value)
{
    const struct hf_event event = {.kind = HF_EVENT_METRIC,
                                   .source_class = HF_SOURCE_NODE,
                                   .source = V("node"),
                                   .value_kind = kind,
                                   .name = hf_view_of(name),
                                   .value = value};

    return offer(&event);
}

static int gauge(double value)
{
    return offer_metric("t", HF_VALUE_GAUGE, value);
}

static int log_line(const char *source, enum hf_severity severity, const char *body)
{
    const struct hf_event event = {.kind = HF_EVENT_LOG,
                                   .source_class = HF_SOURCE_JOURNALD,
                                   .source = hf_view_of(source),
                                   .severity = severity,
                                   .body = hf_view_of(body)};

    return offer(&event);
}

static size_t count(const char *text)
{
    size_t n = 0;

    for (const char *at = hf_buf_str(&out); (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

static void expect(const char *text)
{
    ck_assert_msg(strstr(hf_buf_str(&out), text) != NULL, "'%s' is not in:\n%s", text, hf_buf_str(&out));
}

/* ---- filters ----------------------------------------------------------------------------------------------------- */

START_TEST(nothing_asked_nothing_done)
{
    set_up_with("");
    ck_assert_int_eq(log_line("journald:a.service", HF_SEVERITY_DEBUG, "x"), HF_OFFER_STORED);
    ck_assert_int_eq(gauge(NAN), HF_OFFER_STORED);
    ck_assert_str_eq(
        hf_buf_str(&out),
        "{\"time\":\"2023-11-14T22:30:00.000000000Z\",\"source\":\"journald:a.service\",\"kind\":\"log\",\"severity\":"
        "\"debug\",\"body\":\"x\"}\n{\"time\":\"2023-11-14T22:30:00.000000000Z\",\"source\":\"node\",\"kind\":"
        "\"metric\",\"severity\":\"info\",\"name\":\"t\",\"type\":\"gauge\",\"value\":null,\"valueText\":\"NaN\"}\n");
    ck_assert_uint_eq(hf_pipeline_stats(pipeline).passed, 2);
    tear_down();
}
END_TEST

static const struct {
    const char *name, *filter, *source;
    enum hf_severity severity;
    const char *body;
    bool kept;
} filters[] = {
    {"below", "minSeverity: warning", "a", HF_SEVERITY_NOTICE, "x", false},
    {"at", "minSeverity: warning", "a", HF_SEVERITY_WARNING, "x", true},
    {"none is info", "minSeverity: info", "a", (enum hf_severity)0, "x", true},
    {"drop source", "drop: [{match: {source: 'journald:*'}}]", "journald:x", HF_SEVERITY_ERROR, "x", false},
    {"other source", "drop: [{match: {source: 'journald:*'}}]", "file:x", HF_SEVERITY_ERROR, "x", true},
    {"contains", "drop: [{match: {contains: b c}}]", "a", HF_SEVERITY_ERROR, "ab cd", false},
    {"contains not", "drop: [{match: {contains: b c}}]", "a", HF_SEVERITY_ERROR, "abc", true},
    {"both", "drop: [{match: {contains: b, maxSeverity: info}}]", "a", HF_SEVERITY_ERROR, "b", true},
    {"a name, no metric", "drop: [{match: {name: 'n*'}}]", "n", HF_SEVERITY_INFO, "n", true},
    {"sample none", "sample: [{keep: 0}]", "a", HF_SEVERITY_ERROR, "b", false},
    {"sample all", "sample: [{keep: 1}]", "a", HF_SEVERITY_ERROR, "b", true},
    {"first sample", "sample: [{match: {source: a}, keep: 1}, {keep: 0}]", "a", HF_SEVERITY_ERROR, "b", true},
};

START_TEST(filters_logs)
{
    _cleanup_(hf_buf_done) struct hf_buf spec = HF_BUF_INIT(1000);

    ck_assert_int_eq(hf_buf_addf(&spec, "filter: {%s}", filters[_i].filter), 0);
    set_up_with(hf_buf_str(&spec));
    int r = log_line(filters[_i].source, filters[_i].severity, filters[_i].body);
    ck_assert_msg(r == (filters[_i].kept ? HF_OFFER_STORED : HF_OFFER_FILTERED), "%s: %d", filters[_i].name, r);
    ck_assert_uint_eq(emitted, filters[_i].kept);
    tear_down();
}
END_TEST

START_TEST(severity_is_about_logs)
{
    const struct hf_event payload = {.kind = HF_EVENT_PAYLOAD, .source = V("http"), .body = V("{}")};

    set_up_with("filter: {minSeverity: error}");
    ck_assert_int_eq(gauge(1), HF_OFFER_STORED);
    ck_assert_int_eq(offer(&payload), HF_OFFER_STORED);
    ck_assert_int_eq(log_line("a", HF_SEVERITY_WARNING, ""), HF_OFFER_FILTERED);
    ck_assert_uint_eq(hf_pipeline_stats(pipeline).filtered, 1);
    tear_down();
}
END_TEST

START_TEST(findings_pass_all_filters)
{
    const struct hf_event events[] = {{.kind = HF_EVENT_FINDING, .source = V("a"), .body = V("b")},
                                      {.kind = HF_EVENT_LOG, .source = V("a"), .anomaly = true}};

    set_up_with("filter: {minSeverity: emergency, drop: [{match: {source: a}}], sample: [{keep: 0}]}, enrich: "
                "{attributes: {s: t}}");
    ck_assert_int_eq(offer(&events[0]), HF_OFFER_STORED);
    ck_assert_int_eq(offer(&events[1]), HF_OFFER_STORED);
    ck_assert_uint_eq(count("\"attributes\":{\"s\":\"t\"}"), 2);
    tear_down();
}
END_TEST

/* The same id is always in the sample or never, and the sample has about the requested size. */
START_TEST(samples_by_id)
{
    enum { N = 4000 };
    static bool kept[N];
    char id[32];
    size_t n = 0;

    for (unsigned pass = 0; pass < 2; pass++) {
        set_up_with(pass == 0 ? "filter: {sample: [{keep: 0.25}]}" : "filter: {sample: [{keep: 0.5}]}");
        for (int i = 0; i < N; i++) {
            (void)snprintf(id, sizeof(id), "event-%d", i);
            const struct hf_event event = {
                .id = hf_view_of(id), .unix_ns = (uint64_t)i * (pass + 1u), .source = V("a")};
            int r = offer(&event);
            ck_assert_int_eq(offer(&event), r);
            if (pass == 0)
                n += kept[i] = r == HF_OFFER_STORED;
            else
                ck_assert(r == HF_OFFER_STORED || !kept[i]);
        }
        tear_down();
    }
    ck_assert_msg(n > N / 4 - 150 && n < N / 4 + 150, "%zu", n);
}
END_TEST

START_TEST(limits_rates_for_each_source)
{
    set_up_with("filter: {rateLimit: [{match: {source: 'j:*'}, perSecond: 10, burst: 20}]}");
    for (int i = 0; i < 30; i++) {
        ck_assert_int_eq(log_line("j:a", HF_SEVERITY_INFO, "x"), i < 20 ? HF_OFFER_STORED : HF_OFFER_FILTERED);
        ck_assert_int_eq(log_line("other", HF_SEVERITY_INFO, "x"), HF_OFFER_STORED);
    }
    ck_assert_int_eq(log_line("j:b", HF_SEVERITY_INFO, "x"), HF_OFFER_STORED);
    now += 1;
    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(log_line("j:a", HF_SEVERITY_INFO, "x"), i < 10 ? HF_OFFER_STORED : HF_OFFER_FILTERED);
    ck_assert_uint_eq(hf_pipeline_stats(pipeline).rate_limited, 12);
    hf_buf_clear(&out);
    now += 58;
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(out.n, 0);
    ck_assert_uint_eq(hf_pipeline_wait_until_ns(pipeline), 1060 * S);
    now += 1;
    ck_assert_int_eq(tick(), 0);
    ck_assert_str_eq(
        hf_buf_str(&out),
        "{\"time\":\"2023-11-14T22:31:00.000000000Z\",\"source\":\"agent:pipeline\",\"kind\":\"metric\",\"severity\":"
        "\"info\",\"name\":\"holdfast_suppressed\",\"type\":\"counter\",\"value\":12,\"windowNs\":60000000000,"
        "\"attributes\":{\"suppressedSource\":\"j:a\"}}\n");
    now += 60;
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(count("suppressed"), 2); /* name and attribute, once */
    tear_down();
}
END_TEST

/* More sources than buckets: the others share one, and none gets more than its limit. */
START_TEST(limits_rates_of_many_sources)
{
    char source[32];
    size_t kept = 0;

    set_up_with("filter: {rateLimit: [{perSecond: 1, burst: 5}]}");
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(source, sizeof(source), "s%d", i);
        for (int k = 0; k < 6; k++)
            kept += log_line(source, HF_SEVERITY_INFO, "x") == HF_OFFER_STORED;
    }
    ck_assert_msg(kept >= 255 * 5 && kept <= 256 * 5, "%zu", kept);
    now += 10; /* all buckets are full again: reusable after the counts went out */
    ck_assert_int_eq(log_line("new", HF_SEVERITY_INFO, "x"), HF_OFFER_STORED);
    now += 50;
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(count("\"holdfast_suppressed\""), 256);
    tear_down();
}
END_TEST

static int posted_line(const char *source, const char *uid)
{
    const struct hf_event event = {.kind = HF_EVENT_LOG,
                                   .source_class = HF_SOURCE_HTTP,
                                   .severity = HF_SEVERITY_INFO,
                                   .source = hf_view_of(source),
                                   .peer_uid = hf_view_of(uid),
                                   .body = V("x")};

    return offer(&event);
}

/* A user posts under the name of another one's source, and under 5,000 names: the other one and the agent's own sources
 * keep their rates. */
START_TEST(nobody_uses_up_the_rate_of_another)
{
    char source[32];

    set_up_with("filter: {rateLimit: [{perSecond: 1, burst: 5}]}");
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(posted_line("http:press", "1001"), i < 5 ? HF_OFFER_STORED : HF_OFFER_FILTERED);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(source, sizeof(source), "http:%d", i);
        (void)posted_line(source, i % 2 == 0 ? "1001" : "1002");
    }
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(posted_line("http:press", "1000"), HF_OFFER_STORED);
        ck_assert_int_eq(log_line("journald:a", HF_SEVERITY_INFO, "x"), HF_OFFER_STORED);
    }
    for (int i = 0; i < 100; i++) {
        (void)snprintf(source, sizeof(source), "journald:%d", i);
        for (int k = 0; k < 5; k++)
            ck_assert_int_eq(log_line(source, HF_SEVERITY_INFO, "x"), HF_OFFER_STORED);
    }
    tear_down();
}
END_TEST

/* ---- redaction and enrichment ------------------------------------------------------------------------------------ */

START_TEST(redacts_and_enriches)
{
    const struct hf_event event = {.kind = HF_EVENT_PAYLOAD,
                                   .source = V("http"),
                                   .body = V("{\"t\":1,\"password\":\"x\"}"),
                                   .checksum = V("00"),
                                   .attributes = {{V("password"), V("x")}, {V("site"), V("mine")}},
                                   .n_attributes = 2};

    set_up_with("filter: {redact: [{field: password}]}, enrich: {attributes: {site: s, room: r}, "
                "labels: [topology.kubernetes.io/zone, absent]}");
    ck_assert_int_eq(offer(&event), HF_OFFER_STORED);
    expect("\"attributes\":{\"password\":\"***\",\"site\":\"mine\",\"room\":\"r\",\"topology.kubernetes.io/"
           "zone\":\"z1\"}");
    expect("\"checksum\":\"ef745698c6c4d609583e0e4e1fd7db0ec63c1bda9f5af5148fc578b3b07414e7\",");
    expect("\"sensorData\":{\"t\":1,\"password\":\"***\"}");
    tear_down();
}
END_TEST

/* ---- windows ----------------------------------------------------------------------------------------------------- */

START_TEST(aggregates)
{
    set_up_with("aggregate: {window: 10s}");
    for (int i = 0; i < 10; i++, now++) {
        ck_assert_int_eq(gauge(i % 4), HF_OFFER_AGGREGATED);
        ck_assert_int_eq(offer_metric("c", HF_VALUE_COUNTER, i < 5 ? 100 + i : i), HF_OFFER_AGGREGATED);
        ck_assert_int_eq(offer_metric("h", HF_VALUE_HISTOGRAM, 1 << i % 3), HF_OFFER_AGGREGATED);
        ck_assert_int_eq(gauge(NAN), HF_OFFER_FILTERED);
    }
    ck_assert_uint_eq(emitted, 0);
    ck_assert_uint_eq(hf_pipeline_wait_until_ns(pipeline), 1010 * S);
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(emitted, 3);
    expect("\"name\":\"t\",\"type\":\"gauge\",\"value\":1,\"windowNs\":10000000000,\"summary\":{\"count\":10,\"sum\":"
           "13,\"min\":0,"
           "\"max\":3,\"mean\":1.3}}");
    /* 100 to 104: an increase of 4; then a reset to 5, and up to 9 */
    expect("\"name\":\"c\",\"type\":\"counter\",\"value\":13,\"windowNs\":10000000000,\"summary\":{\"count\":10,"
           "\"resets\":1,\"last\":9}}");
    expect("\"name\":\"h\",\"type\":\"histogram\",\"value\":22,\"windowNs\":10000000000,\"histogram\":{\"count\":10,"
           "\"sum\":22,\"min\":1,"
           "\"max\":4,\"scale\":6,\"zeroCount\":0,\"positive\":{\"offset\":-1,\"counts\":[4,");
    hf_buf_clear(&out);
    now += 10;
    ck_assert_int_eq(tick(), 0); /* no event, no summary */
    ck_assert_uint_eq(out.n, 0);
    ck_assert_int_eq(offer_metric("c", HF_VALUE_COUNTER, 12), HF_OFFER_AGGREGATED);
    now += 10;
    ck_assert_int_eq(tick(), 0);
    expect("\"value\":3,\"windowNs\":10000000000,\"summary\":{\"count\":1,\"resets\":0,\"last\":12}}");
    tear_down();
}
END_TEST

START_TEST(tells_series_apart)
{
    struct hf_event event = {.kind = HF_EVENT_METRIC,
                             .source = V("node"),
                             .value_kind = HF_VALUE_GAUGE,
                             .name = V("t"),
                             .value = 1,
                             .attributes = {{V("a"), V("1")}},
                             .n_attributes = 1};

    set_up_with("aggregate: {window: 10s, maxSeries: 5}");
    ck_assert_int_eq(offer(&event), HF_OFFER_AGGREGATED);
    event.attributes[0].value = V("2");
    ck_assert_int_eq(offer(&event), HF_OFFER_AGGREGATED);
    event.boundary = V("eu");
    ck_assert_int_eq(offer(&event), HF_OFFER_AGGREGATED);
    event.source = V("scrape:x");
    ck_assert_int_eq(offer(&event), HF_OFFER_AGGREGATED);
    event.name = V("u");
    ck_assert_int_eq(offer(&event), HF_OFFER_AGGREGATED);
    ck_assert_int_eq(offer(&event), HF_OFFER_AGGREGATED);
    event.name = V("v"); /* the table is full */
    ck_assert_int_eq(offer(&event), HF_OFFER_FILTERED);
    ck_assert_uint_eq(hf_pipeline_stats(pipeline).series, 5);
    ck_assert_uint_eq(hf_pipeline_stats(pipeline).series_refused, 1);
    now += 10;
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(emitted, 6);
    ck_assert_uint_eq(count("\"boundary\":\"eu\""), 3);
    expect("\"name\":\"holdfast_series_refused\",\"type\":\"counter\",\"value\":1,");
    for (int i = 0; i < 3; i++, now += 10) { /* idle series go, and sooner if the table is full */
        (void)offer(&event);
        ck_assert_int_eq(tick(), 0);
    }
    ck_assert_int_eq(offer(&event), HF_OFFER_AGGREGATED);
    ck_assert_uint_eq(hf_pipeline_stats(pipeline).series, 1);
    tear_down();
}
END_TEST

/* Summaries and metrics of another node are not aggregated. */
START_TEST(passes_what_is_aggregated)
{
    const struct hf_event events[] = {
        {.kind = HF_EVENT_METRIC, .value_kind = HF_VALUE_GAUGE, .name = V("t"), .value = 1, .window_ns = 60},
        {.kind = HF_EVENT_METRIC, .value_kind = HF_VALUE_GAUGE, .name = V("t"), .value = 1, .origin = V("n2")},
        {.kind = HF_EVENT_METRIC, .value_kind = HF_VALUE_HISTOGRAM, .name = V("t"), .histogram = V("{}")},
    };

    set_up_with("aggregate: {window: 10s}, anomalies: [{name: a, metric: '*', threshold: {above: 0}}]");
    for (size_t i = 0; i < HF_LEN(events); i++)
        ck_assert_int_eq(offer(&events[i]), HF_OFFER_STORED);
    ck_assert_uint_eq(emitted, 3);
    tear_down();
}
END_TEST

START_TEST(counts_top_values)
{
    struct hf_event event = {.source = V("http"), .attributes = {{V("client"), V("a")}}, .n_attributes = 1};
    char client[16];

    set_up_with("aggregate: {window: 10s, topK: 2, top: [{attribute: client, match: {source: http}}]}");
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(client, sizeof(client), "c%d", i % 10 < 5 ? 1 : i % 10 < 8 ? 2 : i);
        event.attributes[0].value = hf_view_of(client);
        ck_assert_int_eq(offer(&event), HF_OFFER_STORED);
    }
    hf_buf_clear(&out);
    now += 10;
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(count("\n"), 2);
    expect("\"name\":\"holdfast_top\",\"type\":\"counter\",\"value\":500,\"windowNs\":10000000000,\"attributes\":{"
           "\"attribute\":\"client\","
           "\"value\":\"c1\",\"error\":\"0\"}}");
    expect("\"value\":\"c2\"");
    now += 10;
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(count("\n"), 2);
    tear_down();
}
END_TEST

START_TEST(flushes)
{
    set_up_with("aggregate: {window: 60s}");
    ck_assert_int_eq(gauge(1), HF_OFFER_AGGREGATED);
    ck_assert_int_eq(offer_metric("u", HF_VALUE_GAUGE, 2), HF_OFFER_AGGREGATED);
    now += 7;
    refuse_at = 2;
    ck_assert_int_eq(hf_pipeline_flush(pipeline, now * S, UNIX0 + now * S, emit, NULL), -EAGAIN);
    ck_assert_int_eq(hf_pipeline_flush(pipeline, now * S, UNIX0 + now * S, emit, NULL), 0);
    ck_assert_uint_eq(count("\"windowNs\":7000000000,"), 2);
    tear_down();
}
END_TEST

/* ---- anomalies --------------------------------------------------------------------------------------------------- */

START_TEST(passes_anomalies_raw)
{
    set_up_with("aggregate: {window: 60s}, filter: {sample: [{keep: 0}]}, "
                "anomalies: [{name: hot, metric: t, threshold: {above: 80}, context: {before: 2, after: 1}, severity: "
                "critical}]");
    for (int i = 0; i < 5; i++, now++)
        ck_assert_int_eq(gauge(20 + i), HF_OFFER_FILTERED); /* outside the sample, but still judged */
    ck_assert_uint_eq(emitted, 0);
    ck_assert_int_eq(gauge(91.5), HF_OFFER_STORED);
    ck_assert_str_eq(hf_buf_str(&out),
                     "{\"time\":\"2023-11-14T22:30:05.000000000Z\",\"source\":\"node\",\"kind\":\"metric\","
                     "\"severity\":\"info\",\"anomaly\":true,\"name\":"
                     "\"t\",\"type\":\"gauge\",\"value\":91.5}\n"
                     "{\"time\":\"2023-11-14T22:30:05.000000000Z\",\"source\":\"agent:anomaly\",\"kind\":\"finding\","
                     "\"severity\":\"critical\","
                     "\"anomaly\":true,\"name\":\"hot\",\"attributes\":{\"metric\":\"t\",\"metricSource\":\"node\","
                     "\"value\":\"91.5\",\"measured\":"
                     "\"91.5\"},\"body\":\"t is 91.5, more than 80\"}\n"
                     "{\"time\":\"2023-11-14T22:30:03.000000000Z\",\"source\":\"node\",\"kind\":\"metric\","
                     "\"severity\":\"info\",\"anomaly\":true,\"name\":"
                     "\"t\",\"type\":\"gauge\",\"value\":23,\"attributes\":{\"context\":\"before\"}}\n"
                     "{\"time\":\"2023-11-14T22:30:04.000000000Z\",\"source\":\"node\",\"kind\":\"metric\","
                     "\"severity\":\"info\",\"anomaly\":true,\"name\":"
                     "\"t\",\"type\":\"gauge\",\"value\":24,\"attributes\":{\"context\":\"before\"}}\n");
    hf_buf_clear(&out);
    ck_assert_int_eq(gauge(92), HF_OFFER_STORED); /* one value after it passes */
    ck_assert_int_eq(gauge(93), HF_OFFER_FILTERED);
    ck_assert_uint_eq(count("\n"), 1);
    ck_assert_int_eq(gauge(50), HF_OFFER_FILTERED);
    ck_assert_uint_eq(count("\n"), 2);
    expect("\"severity\":\"info\",\"anomaly\":true,\"name\":\"hot\",");
    expect("\"body\":\"t is 50: back to normal\"");
    ck_assert_uint_eq(hf_pipeline_stats(pipeline).anomalies, 1);
    tear_down();
}
END_TEST

START_TEST(notices_absence)
{
    set_up_with("anomalies: [{name: gone, metric: t, absence: {after: 30s}}, {name: never, metric: nothing, absence: "
                "{after: 60s}}]");
    ck_assert_int_eq(gauge(5), HF_OFFER_STORED);
    hf_buf_clear(&out);
    ck_assert_uint_eq(hf_pipeline_wait_until_ns(pipeline), 1030 * S);
    now += 29;
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(out.n, 0);
    now += 1;
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(count("\n"), 1);
    expect("\"name\":\"gone\",\"attributes\":{\"metric\":\"t\",\"metricSource\":\"node\",\"value\":\"5\",\"measured\":"
           "\"30\"},\"body\":\"no value "
           "of t for 30 s\"}");
    now += 30;
    ck_assert_int_eq(tick(), 0);
    ck_assert_uint_eq(count("\n"), 2);
    expect("\"body\":\"no value of nothing for 60 s\"}");
    now += 600;
    ck_assert_int_eq(tick(), 0); /* reported once */
    ck_assert_uint_eq(count("\n"), 2);
    hf_buf_clear(&out);
    ck_assert_int_eq(gauge(6), HF_OFFER_STORED);
    ck_assert_int_eq(offer_metric("nothing", HF_VALUE_GAUGE, 1), HF_OFFER_STORED);
    expect("\"name\":\"gone\"");
    expect("\"body\":\"t is 6: back to normal\"");
    expect("\"body\":\"nothing is 1: back to normal\"");
    ck_assert_uint_eq(count("\n"), 4);
    tear_down();
}
END_TEST

START_TEST(looks_into_payloads)
{
    struct hf_event event = {
        .kind = HF_EVENT_PAYLOAD, .source = V("http"), .body = V("{\"m\":{\"rpm\": 10},\"pin\":1}")};

    set_up_with("filter: {sample: [{keep: 0}], redact: [{field: pin}]}, "
                "anomalies: [{name: fast, metric: payload.m.rpm, threshold: {above: 100}}, {name: any, metric: '*', "
                "threshold: {above: 0}},"
                " {name: secret, metric: payload.pin, threshold: {above: 0}}]");
    ck_assert_int_eq(offer(&event), HF_OFFER_FILTERED);
    event.body = V("{\"m\":{\"rpm\": 101}}");
    ck_assert_int_eq(offer(&event), HF_OFFER_STORED);
    ck_assert_uint_eq(count("\n"), 2);
    expect("\"anomaly\":true,\"sensorData\":{\"m\":{\"rpm\": 101}}}");
    expect("\"body\":\"payload.m.rpm is 101, more than 100\"");
    tear_down();
}
END_TEST

/* ---- "not now", at every call ------------------------------------------------------------------------------------ */

static const char busy_policy[] = "aggregate: {window: 10s, topK: 2, top: [{attribute: k}]}, filter: {rateLimit: "
                                  "[{match: {source: limited}, perSecond: 1}]}, "
                                  "enrich: {attributes: {s: t}}, anomalies: [{name: hot, metric: t, threshold: {above: "
                                  "80}, context: {before: 3, after: 2}},"
                                  " {name: gone, metric: u, absence: {after: 7s}}]";

static int try_again(int r)
{
    return r == -EAGAIN;
}

static void scene(void)
{
    struct hf_event event = {
        .source = V("limited"), .body = V("x"), .attributes = {{V("k"), V("v")}}, .n_attributes = 1};

    for (int i = 0; i < 40; i++, now++) {
        while (try_again(gauge(i % 13 == 12 || i % 13 == 11 ? 100 : i)))
            ;
        if (i < 10)
            while (try_again(offer_metric("u", HF_VALUE_COUNTER, i)))
                ;
        event.unix_ns = 0;
        while (try_again(offer(&event)))
            ;
        while (try_again(offer(&event)))
            ;
        while (try_again(tick()))
            ;
    }
    while (try_again(hf_pipeline_flush(pipeline, now * S, UNIX0 + now * S, emit, NULL)))
        ;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Compares the sorted lines: delayed events can come in another order. */
static char *sorted_lines(void)
{
    static const char *lines[1000];
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(8 << 20);
    struct hf_view rest = hf_buf_view(&out), line;
    size_t n = 0;

    while (hf_view_split(&rest, '\n', &line)) {
        char *copy = hf_view_dup(line);
        lines[n++] = copy;
    }
    qsort(lines, n, sizeof(lines[0]), by_text);
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(hf_buf_addf(&text, "%s\n", lines[i]), 0);
        char *copy = NULL;
        memcpy(&copy, &lines[i], sizeof(copy));
        free(copy);
    }
    return hf_buf_take(&text);
}

START_TEST(loses_nothing_when_it_must_wait)
{
    set_up_with(busy_policy);
    scene();
    char *want = sorted_lines();
    size_t calls = emitted;
    struct hf_pipeline_stats stats = hf_pipeline_stats(pipeline);
    ck_assert_uint_gt(calls, 60);
    tear_down();
    for (size_t n = 1; n <= calls + 50; n++) { /* each call once; then random thirds of them */
        set_up_with(busy_policy);
        refuse_at = n <= calls ? n : 0;
        refuse_seed = n <= calls ? 0 : n;
        scene();
        char *got = sorted_lines();
        struct hf_pipeline_stats now_stats = hf_pipeline_stats(pipeline);
        ck_assert_msg(strcmp(got, want) == 0, "call %zu:\nwant\n%s\ngot\n%s", n, want, got);
        ck_assert_mem_eq(&now_stats, &stats, sizeof(stats));
        free(got);
        tear_down();
    }
    free(want);
}
END_TEST

/* While the summary of its window waits, a metric waits too; a log or a finding does not. */
START_TEST(what_waits_holds_up_only_its_like)
{
    const struct hf_event finding = {.kind = HF_EVENT_FINDING, .source = V("a")};

    set_up_with("aggregate: {window: 10s}");
    ck_assert_int_eq(gauge(1), HF_OFFER_AGGREGATED);
    now += 10;
    blocked = true;
    ck_assert_int_eq(tick(), -EAGAIN);
    ck_assert_uint_eq(hf_pipeline_wait_until_ns(pipeline), 1011 * S);
    ck_assert_int_eq(gauge(2), -EAGAIN);
    ck_assert_int_eq(log_line("a", HF_SEVERITY_INFO, ""), -EAGAIN); /* the error of emit */
    size_t calls = emitted;
    ck_assert_int_eq(offer(&finding), -EAGAIN);
    ck_assert_uint_eq(emitted, calls + 1);
    blocked = false;
    ck_assert_int_eq(offer(&finding), HF_OFFER_STORED);
    ck_assert_uint_eq(count("\"windowNs\""), 0);
    ck_assert_int_eq(gauge(2), HF_OFFER_AGGREGATED);
    expect("\"value\":1,\"windowNs\":10000000000");
    now += 10;
    ck_assert_int_eq(tick(), 0);
    expect("\"value\":2,\"windowNs\":10000000000");
    tear_down();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, nothing_asked_nothing_done);
    tcase_add_loop_test(tc, filters_logs, 0, (int)HF_LEN(filters));
    tcase_add_test(tc, severity_is_about_logs);
    tcase_add_test(tc, findings_pass_all_filters);
    tcase_add_test(tc, samples_by_id);
    tcase_add_test(tc, limits_rates_for_each_source);
    tcase_add_test(tc, limits_rates_of_many_sources);
    tcase_add_test(tc, nobody_uses_up_the_rate_of_another);
    tcase_add_test(tc, redacts_and_enriches);
    tcase_add_test(tc, aggregates);
    tcase_add_test(tc, tells_series_apart);
    tcase_add_test(tc, passes_what_is_aggregated);
    tcase_add_test(tc, counts_top_values);
    tcase_add_test(tc, flushes);
    tcase_add_test(tc, passes_anomalies_raw);
    tcase_add_test(tc, notices_absence);
    tcase_add_test(tc, looks_into_payloads);
    tcase_add_test(tc, loses_nothing_when_it_must_wait);
    tcase_add_test(tc, what_waits_holds_up_only_its_like);
}
HF_TEST_MAIN("telemetry/pipeline", cases)
