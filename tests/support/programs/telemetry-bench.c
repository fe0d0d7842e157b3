/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry-bench: what one event costs on its way, in ns of this CPU. One line per figure: "<name> <ns>".
 *
 * The event is a log line as journald gives it, about 250 bytes as text. Each figure is the best of several rounds, so that what
 * else the machine does counts least. */
#include <errno.h>
#include <sched.h>

#include "api/syncpolicy.h"
#include "telemetry/pipeline/pipeline.h"

enum { ROUNDS = 9, EVENTS = 200000 };

static const struct hf_event sample = {
    .kind = HF_EVENT_LOG,
    .source_class = HF_SOURCE_JOURNALD,
    .severity = HF_SEVERITY_WARNING,
    .unix_ns = 1795173398123456789ull,
    .id = {"s=3f1c;i=1a2b3c", 15},
    .source = {"journald:edge-inference.service", 31},
    .body = {"frame 18231 of camera 2 took 231 ms, 31 ms more than it may", 59},
    .attributes = {{{"pid", 3}, {"1234", 4}}, {{"unit", 4}, {"edge-inference.service", 22}}},
    .n_attributes = 2,
};

static uint64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void bench_format(void)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    struct hf_event event = sample;

    for (size_t i = 0; i < EVENTS; i++) {
        hf_buf_clear(&line);
        event.unix_ns += 1000;
        if (hf_event_format(&event, "edge-0001", &line) < 0)
            exit(EXIT_FAILURE);
    }
}

static void bench_parse(void)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT),
                                         scratch = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    static struct hf_event event;
    struct hf_view node;

    if (hf_event_format(&sample, "edge-0001", &line) < 0)
        exit(EXIT_FAILURE);
    for (size_t i = 0; i < EVENTS; i++)
        if (hf_event_parse(hf_buf_view(&line), &event, &node, &scratch) < 0)
            exit(EXIT_FAILURE);
}

/* ---- the pipeline under a policy as one would write it ---------------------------------------------------------------- */

static const char policy_text[] =
    "{metadata: {name: p}, spec: {telemetry: {filter: {minSeverity: info, drop: [{match: {source: 'journald:noisy*'}}, "
    "{match: {contains: health check, maxSeverity: info}}], sample: [{match: {source: 'file:*'}, keep: 0.1}], "
    "rateLimit: [{perSecond: 1000000, burst: 1000000}], redact: [{field: password}, {field: token}]}, "
    "enrich: {attributes: {site: berlin-1}, labels: [edge.codcompass.io/role]}, aggregate: {window: 60s}, "
    "anomalies: [{name: hot, metric: node_temperature_celsius, threshold: {above: 85}}, "
    "{name: odd, metric: 'node_cpu_*', zScore: {}}, {name: gone, metric: up, absence: {after: 5m}}]}}}";

static struct hf_syncpolicy *policy;
static struct hf_pipeline *pipeline;
static json_t *labels;
static uint64_t now_ns = HF_NS_PER_S;

static void make_pipeline(void)
{
    static struct hf_issues issues;
    _cleanup_(hf_json_freep) json_t *json = NULL;

    labels = json_pack("{s:s}", "edge.codcompass.io/role", "compute");
    if (hf_yaml_parse(hf_view_of(policy_text), NULL, &json, NULL) < 0 ||
        hf_syncpolicy_decode(json, &policy, &issues) < 0 ||
        (pipeline = hf_pipeline_new(&policy->telemetry, labels)) == NULL)
        exit(EXIT_FAILURE);
}

static int swallow(void *arg, const struct hf_event *event)
{
    (void)arg;
    (void)event;
    return 0;
}

static void offer_all(const struct hf_event *event, enum hf_offer want, hf_pipeline_emit *emit, void *arg)
{
    for (size_t i = 0; i < EVENTS; i++) {
        now_ns += 1000;
        if (hf_pipeline_offer(pipeline, event, now_ns, now_ns, emit, arg) != (int)want)
            exit(EXIT_FAILURE);
    }
}

static void bench_log(void)
{
    offer_all(&sample, HF_OFFER_STORED, swallow, NULL);
}

static void bench_filtered(void)
{
    struct hf_event event = sample;

    event.severity = HF_SEVERITY_DEBUG;
    offer_all(&event, HF_OFFER_FILTERED, swallow, NULL);
}

static void bench_payload(void)
{
    const struct hf_event event = {
        .kind = HF_EVENT_PAYLOAD,
        .source_class = HF_SOURCE_HTTP,
        .unix_ns = 1795173398123456789ull,
        .id = {"3f1c2a77-8f52-4d11-9b0e-d9b8f1b2c3d4", 36},
        .source = {"http", 4},
        .body = {"{\"device\":\"press-7\",\"temperature\":61.25,\"pressure\":101.3,\"vibration\":[0.01,0.02,0.015],"
                 "\"state\":\"ok\"}",
                 sizeof("{'device':'press-7','temperature':61.25,'pressure':101.3,'vibration':[0.01,0.02,0.015],'state'"
                        ":'ok'}") -
                     1},
        .checksum = {"ef745698c6c4d609583e0e4e1fd7db0ec63c1bda9f5af5148fc578b3b07414e7", 64},
    };
    offer_all(&event, HF_OFFER_STORED, swallow, NULL);
}

/* 500 series in turn. */
static void bench_metric(void)
{
    static char cpus[500][8];
    struct hf_event event = {.kind = HF_EVENT_METRIC,
                             .source_class = HF_SOURCE_NODE,
                             .source = {"node", 4},
                             .value_kind = HF_VALUE_GAUGE,
                             .name = {"node_cpu_busy_ratio", 19},
                             .attributes = {{{"cpu", 3}, {NULL, 0}}, {{"mode", 4}, {"user", 4}}},
                             .n_attributes = 2};

    for (size_t i = 0; i < EVENTS; i++) {
        char *cpu = cpus[i % 500];
        if (i < 500)
            (void)snprintf(cpu, sizeof(cpus[0]), "%zu", i);
        now_ns += 1000;
        event.unix_ns = now_ns;
        event.attributes[0].value = hf_view_of(cpu);
        event.value = (double)(i % 100) / 100;
        if (hf_pipeline_offer(pipeline, &event, now_ns, now_ns, swallow, NULL) < 0)
            exit(EXIT_FAILURE);
    }
}

static int write_line(void *arg, const struct hf_event *event)
{
    struct hf_buf *line = arg;

    hf_buf_clear(line);
    return hf_event_format(event, "edge-0001", line);
}

static void bench_log_to_line(void)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);

    offer_all(&sample, HF_OFFER_STORED, write_line, &line);
}

static const struct {
    const char *name;
    void (*run)(void);
} benches[] = {{"format", bench_format},
               {"parse", bench_parse},
               {"pipeline-log", bench_log},
               {"pipeline-filtered", bench_filtered},
               {"pipeline-payload", bench_payload},
               {"pipeline-metric", bench_metric},
               {"pipeline-log-to-line", bench_log_to_line}};

int main(void)
{
    make_pipeline();
    for (size_t i = 0; i < HF_LEN(benches); i++) {
        uint64_t best = UINT64_MAX;
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t start = cpu_ns();
            benches[i].run();
            best = HF_MIN(best, cpu_ns() - start);
        }
        printf("%s %.1f\n", benches[i].name, (double)best / EVENTS);
    }
    hf_pipeline_free(pipeline);
    hf_syncpolicy_free(policy);
    json_decref(labels);
    return EXIT_SUCCESS;
}
