/* SPDX-License-Identifier: Apache-2.0 */
#include "api/telemetry.h"

#include <math.h>

#include "api/syncpolicy.h"
#include "support/check_main.h"

static struct hf_issues issues;

static struct hf_syncpolicy *make(const char *telemetry)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf yaml = HF_BUF_INIT(10000);
    struct hf_syncpolicy *policy = NULL;

    ck_assert_int_eq(hf_buf_addf(&yaml, "{metadata: {name: p}, spec: {%s}}", telemetry), 0);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&yaml), NULL, &json, NULL), 0);
    int r = hf_syncpolicy_decode(json, &policy, &issues);
    ck_assert_msg(r == 0, "%s: %s", issues.errors[0].path, issues.errors[0].text);
    ck_assert_uint_eq(issues.n_warnings, 0);
    return policy;
}

static const char *const of_nothing[] = {"", "telemetry: {}"};

START_TEST(defaults)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *p = make(of_nothing[_i]);
    const struct hf_telemetry *t = &p->telemetry;

    ck_assert(t->present == (_i == 1));
    ck_assert(!t->sources.http && !t->sources.journald && !t->sources.node && !t->sources.containers);
    ck_assert(t->sources.socket_path == NULL && t->sources.mqtt.host == NULL && t->sources.n_files == 0);
    ck_assert_uint_eq(t->sources.node_period_ns, 10 * HF_NS_PER_S);
    ck_assert_int_eq(t->sources.journald_min_severity, HF_SEVERITY_TRACE);
    ck_assert_int_eq(t->min_severity, 0);
    ck_assert_uint_eq(t->window_ns, 0);
    ck_assert_uint_eq(t->max_series, 2000);
    ck_assert_uint_eq(t->top_k, 10);
    ck_assert_uint_eq(t->buffer_max_bytes, 1 << 30);
    ck_assert_int_eq(t->when_full, HF_WHEN_FULL_BLOCK);
    ck_assert_uint_eq(t->batch_max_bytes, 524288);
    ck_assert_uint_eq(t->batch_timeout_ns, 10 * HF_NS_PER_S);
    ck_assert_int_eq(t->compression, HF_COMPRESS_ZSTD);
    ck_assert_uint_eq(t->max_attempts, 3);
    ck_assert_uint_eq(t->retry_base_ns, 2 * HF_NS_PER_S);
    ck_assert_uint_eq(t->max_duration_ns, 300 * HF_NS_PER_S);
    ck_assert(t->n_sinks == 0 && t->boundary == NULL && t->attributes == NULL && t->label_keys[0] == NULL);
}
END_TEST

static const struct {
    const char *sink, *want; /* start of the warning; NULL: none */
} doubts[] = {
    {"url: 'http://127.0.0.1:4317', format: otlp", "port 4317 is usually OTLP over gRPC"},
    {"url: 'https://h.example.com:4317/v1/logs', format: otlp", "port 4317 is usually OTLP over gRPC"},
    {"url: 'http://127.0.0.1:4318', format: otlp", NULL},
    {"url: 'https://h.example.com/a:4317', format: otlp", NULL},
    {"url: 'https://h.example.com/v1/logs'", "looks like the URL of an OTLP receiver"},
    {"url: 'https://h.example.com/v1/metrics/?a=b', format: ndjson", "looks like the URL of an OTLP receiver"},
    {"url: 'https://h.example.com/v1/logs', format: otlp", NULL},
    {"url: 'https://h.example.com/ingest', format: seed", "ends in /ingest"},
    {"url: 'https://h.example.com/a?b', format: seed", "has ? or #"},
    {"url: 'https://h.example.com/ingest', format: json", NULL},
};

START_TEST(doubtful_urls)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf yaml = HF_BUF_INIT(10000);
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;

    ck_assert_int_eq(hf_buf_addf(&yaml, "{metadata: {name: p}, spec: {telemetry: {sink: {%s}}}}", doubts[_i].sink), 0);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&yaml), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &policy, &issues), 0);
    ck_assert_uint_eq(issues.n_warnings, doubts[_i].want != NULL);
    if (doubts[_i].want == NULL)
        return;
    ck_assert_str_eq(issues.warnings[0].path, "spec.telemetry.sink.url");
    ck_assert_msg(strncmp(issues.warnings[0].text, doubts[_i].want, strlen(doubts[_i].want)) == 0, "%s",
                  issues.warnings[0].text);
}
END_TEST

static const struct {
    const char *telemetry;
    bool warned;
} sinkless[] = {
    {"{sources: {http: true}}", true},
    {"{sources: {node: {}}}", true},
    {"{sources: {http: false}}", false},
    {"{}", false},
    {"{sources: {http: true}, sink: {url: 'https://h'}}", false},
    {"{sources: {http: true}, sinks: [{name: a, url: 'https://h'}]}", false},
};

START_TEST(sources_without_a_sink)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf yaml = HF_BUF_INIT(10000);
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;

    ck_assert_int_eq(hf_buf_addf(&yaml, "{metadata: {name: p}, spec: {telemetry: %s}}", sinkless[_i].telemetry), 0);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&yaml), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &policy, &issues), 0);
    ck_assert_uint_eq(issues.n_warnings, sinkless[_i].warned);
    if (!sinkless[_i].warned)
        return;
    ck_assert_str_eq(issues.warnings[0].path, "spec.telemetry");
    ck_assert_str_eq(issues.warnings[0].text,
                     "has no sink: the node drops every event of its sources; set sink or sinks");
}
END_TEST

static const struct {
    const char *url;
    bool good;
} ports[] = {
    {"http://127.0.0.1:65535/x", true}, {"http://127.0.0.1:1", true},
    {"http://[::1]:80", true},          {"https://h.example.com", true},
    {"https://h:65535?a", true},        {"https://[2001:db8::1]:443/", true},
    {"https://[2001:db8::1]/", true},   {"https://h:/a", true},
    {"http://127.0.0.1:65536", false},  {"http://127.0.0.1:99999", false},
    {"http://127.0.0.1:0/", false},     {"http://localhost:/", false},
    {"https://h:65536", false},         {"https://h:99999/a:1", false},
    {"https://h:4294967297", false},    {"https://h:8o", false},
    {"https://[2001:db8::1]x", false},  {"https://[2001:db8::1", false},
    {"https://a:1:2", false},           {"http://127.evil.example/", false},
    {"http://127.0.0.256/", false},     {"http://[::1].evil.example/", false},
    {"http://LOCALHOST/", false},       {"http://localhost./", false},
    {"http://localhost/", true},        {"http://127.0.0.1.evil.example/", false},
    {"http://127.8.7.6/", true},        {"http://[::ffff:127.0.0.1]/", false},
};

START_TEST(ports_of_sinks)
{
    ck_assert_msg(hf_telemetry_url_ok(ports[_i].url) == ports[_i].good, "%s", ports[_i].url);
}
END_TEST

START_TEST(one_sink)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *p =
        make("telemetry: {sink: {url: 'https://x.example.com/a', windows: [{start: '02:00', duration: 1h, timeZone: "
             "Europe/Berlin}],"
             " bandwidthLimit: 64Ki, select: {minSeverity: error}}, boundary: eu}");
    const struct hf_telemetry_sink *sink = p->telemetry.sinks;

    ck_assert_uint_eq(p->telemetry.n_sinks, 1);
    ck_assert_str_eq(sink->name, "default");
    ck_assert_str_eq(sink->url, "https://x.example.com/a");
    ck_assert_str_eq(sink->boundary, "eu");
    ck_assert(sink->format == HF_SINK_JSON && !sink->otlp_json && sink->n_windows == 1 &&
              sink->windows[0].zone != NULL);
    ck_assert_uint_eq(sink->bandwidth_limit, 65536);
    ck_assert_int_eq(sink->select.min_severity, HF_SEVERITY_ERROR);
}
END_TEST

START_TEST(fields)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *p =
        make("telemetry: {sources: {http: true, journald: {includeUnits: [a.service]}, files: [{path: /a/*.log, "
             "format: json,"
             " multiline: {start: 'x*'}, severity: error}], containers: {excludeNamespaces: [kube-system]}, node: "
             "{period: 5s},"
             " scrape: [{url: 'http://127.0.0.1/m', names: [a, b]}], socket: {path: /run/x},"
             " mqtt: {host: h, topics: ['a/#'], tls: true}},"
             " filter: {minSeverity: notice, drop: [{match: {contains: x}}], sample: [{keep: 0.25}], rateLimit: "
             "[{perSecond: 7}],"
             " redact: [{field: pin, action: Hash}]}, enrich: {attributes: {a: b}, labels: [l]},"
             " aggregate: {window: 30s, maxSeries: 9, topK: 4, top: [{attribute: c}]},"
             " anomalies: [{name: t, metric: m, threshold: {below: 2}, context: {before: 3, after: 4}},"
             " {name: z, metric: m, zScore: {}}, {name: g, metric: m, absence: {after: 2m}, severity: critical},"
             " {name: r, metric: m, rateOfChange: {above: 1.5}}],"
             " sinks: [{name: a, boundary: us, url: 'http://localhost/', format: otlp, encoding: json}, {name: b, url: "
             "'https://b'}]}");
    const struct hf_telemetry *t = &p->telemetry;
    const struct hf_telemetry_anomaly *a = t->anomalies;

    ck_assert(t->sources.http && t->sources.journald && t->sources.containers && t->sources.node);
    ck_assert_str_eq(t->sources.journald_include[0], "a.service");
    ck_assert_ptr_null(t->sources.journald_include[1]);
    ck_assert(t->sources.files[0].json && t->sources.files[0].severity == HF_SEVERITY_ERROR);
    ck_assert_str_eq(t->sources.files[0].multiline_start, "x*");
    ck_assert_str_eq(t->sources.no_namespaces[0], "kube-system");
    ck_assert_uint_eq(t->sources.node_period_ns, 5 * HF_NS_PER_S);
    ck_assert_uint_eq(t->sources.scrapes[0].period_ns, 30 * HF_NS_PER_S);
    ck_assert_str_eq(t->sources.scrapes[0].names[1], "b");
    ck_assert_str_eq(t->sources.socket_path, "/run/x");
    ck_assert(t->sources.mqtt.tls && t->sources.mqtt.port == 8883);
    ck_assert_int_eq(t->min_severity, HF_SEVERITY_NOTICE);
    ck_assert_str_eq(t->drops[0].match.contains, "x");
    ck_assert(t->samples[0].keep == 0.25);
    ck_assert(t->rates[0].per_second == 7 && t->rates[0].burst == 7);
    ck_assert_int_eq(t->redacts[0].action, HF_REDACT_HASH);
    ck_assert_str_eq(hf_json_str(t->attributes, "a"), "b");
    ck_assert_str_eq(t->label_keys[0], "l");
    ck_assert(t->window_ns == 30 * HF_NS_PER_S && t->max_series == 9 && t->top_k == 4 && t->n_tops == 1);
    ck_assert_uint_eq(t->n_anomalies, 4);
    ck_assert(a[0].kind == HF_ANOMALY_THRESHOLD && isnan(a[0].above) && a[0].below == 2 && a[0].before == 3 &&
              a[0].after == 4 && a[0].severity == HF_SEVERITY_ERROR);
    ck_assert(a[1].kind == HF_ANOMALY_ZSCORE && a[1].above == 3 && a[1].window_ns == 600 * HF_NS_PER_S);
    ck_assert(a[2].kind == HF_ANOMALY_ABSENCE && a[2].window_ns == 120 * HF_NS_PER_S &&
              a[2].severity == HF_SEVERITY_CRITICAL);
    ck_assert(a[3].kind == HF_ANOMALY_RATE && a[3].above == 1.5 && a[3].window_ns == 60 * HF_NS_PER_S &&
              isnan(a[3].below));
    ck_assert_uint_eq(t->n_sinks, 2);
    ck_assert(t->sinks[0].otlp_json && t->sinks[0].format == HF_SINK_OTLP && t->sinks[1].boundary == NULL);
    ck_assert_str_eq(t->sinks[0].boundary, "us");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, defaults, 0, (int)HF_LEN(of_nothing));
    tcase_add_loop_test(tc, doubtful_urls, 0, HF_LEN(doubts));
    tcase_add_loop_test(tc, sources_without_a_sink, 0, HF_LEN(sinkless));
    tcase_add_loop_test(tc, ports_of_sinks, 0, HF_LEN(ports));
    tcase_add_test(tc, one_sink);
    tcase_add_test(tc, fields);
}
HF_TEST_MAIN("api/telemetry", cases)
