/* SPDX-License-Identifier: Apache-2.0 */
/* Sends any row of events through a pipeline with all stages, with a disk that is full now and then. Each event that
 * comes out must be a valid line, and must belong to one that went in.
 *
 * Each step takes a few bytes: kind, name and source of an event, its value or text, and the time that passes. */
#include <errno.h>

#include "api/syncpolicy.h"
#include "codec/scan.h"
#include "telemetry/pipeline/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char policy_text[] =
    "{metadata: {name: p}, spec: {telemetry: {filter: {minSeverity: info, drop: [{match: {contains: no}}], "
    "sample: [{match: {source: 'b*'}, keep: 0.5}], rateLimit: [{match: {source: a}, perSecond: 2}], "
    "redact: [{field: pw}, {field: rm, action: Remove}, {field: h, action: Hash}]}, enrich: {attributes: {s: t}}, "
    "aggregate: {window: 5s, maxSeries: 6, topK: 2, top: [{attribute: k}]}, "
    "anomalies: [{name: a, metric: m0, threshold: {above: 100, below: -100}, context: {before: 3, after: 2}}, "
    "{name: b, metric: 'm*', zScore: {window: 10s, above: 3}}, {name: c, metric: m1, absence: {after: 3s}}, "
    "{name: d, metric: 'm*', rateOfChange: {per: 2s, above: 50}}, {name: e, metric: payload.t, threshold: {above: "
    "1}}]}}}";

struct run {
    const uint8_t *at, *end;
    uint64_t now_ns;
    struct hf_buf line;
    bool full;
    size_t emitted, offered;
};

static unsigned take(struct run *run)
{
    return run->at < run->end ? *run->at++ : 0;
}

static int emit(void *arg, const struct hf_event *event)
{
    struct run *run = arg;

    if (run->full)
        return -EAGAIN;
    hf_buf_clear(&run->line);
    if (hf_event_format(event, "n", &run->line) < 0 || event->n_attributes > HF_EVENT_MAX_ATTRIBUTES)
        abort();
    run->emitted++;
    return 0;
}

static void step(struct run *run, struct hf_pipeline *pipeline)
{
    static const char *const names[] = {"m0", "m1", "m2", "x"}, *const sources[] = {"a", "b1", "b2", ""};
    static const char *const keys[] = {"k", "pw", "rm", "h"};
    unsigned what = take(run), more = take(run);
    struct hf_event event = {.kind = (enum hf_event_kind)(what % HF_EVENT_KINDS),
                             .source_class = HF_SOURCE_NODE,
                             .severity = (enum hf_severity)(what / 4 % 25),
                             .source = hf_view_of(sources[more % 4]),
                             .name = hf_view_of(names[more / 4 % 4]),
                             .value_kind = (enum hf_value_kind)(more / 16 % HF_VALUE_KINDS),
                             .boundary = more > 200 ? HF_VIEW("eu") : HF_VIEW("")};
    union {
        uint64_t bits;
        double value;
    } u = {0};

    run->full = what > 220;
    for (int i = 0; i < 8 && more / 64 % 2 == 1; i++)
        u.bits = u.bits << 8 | take(run);
    event.value = more / 64 % 2 == 1 ? u.value : (double)take(run);
    event.n_attributes = more % 3;
    for (size_t i = 0; i < event.n_attributes; i++) {
        event.attributes[i].name = hf_view_of(keys[take(run) % 4]);
        event.attributes[i].value = event.name;
    }
    size_t length = take(run) / 4, left = (size_t)(run->end - run->at);
    event.body = (struct hf_view){(const char *)run->at, HF_MIN(length, left)};
    run->at += event.body.n;
    struct hf_scan scan;
    hf_scan_init(&scan, event.body);
    if (event.kind == HF_EVENT_PAYLOAD && (hf_scan_raw(&scan, NULL) < 0 || scan.at != event.body.n))
        event.body = HF_VIEW("{\"t\": 5, \"pw\": [1]}");
    run->now_ns += (uint64_t)take(run) * (HF_NS_PER_S / 32);
    event.unix_ns = run->now_ns;
    int r = hf_pipeline_offer(pipeline, &event, run->now_ns, run->now_ns, emit, run);
    run->offered += r >= 0;
    (void)!hf_pipeline_tick(pipeline, run->now_ns, run->now_ns, emit, run);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct hf_syncpolicy *policy;
    static struct hf_issues issues;
    struct run run = {.at = bytes, .end = bytes + n, .now_ns = HF_NS_PER_S, .line = HF_BUF_INIT(HF_EVENT_MAX_TEXT)};

    if (policy == NULL) {
        _cleanup_(hf_json_freep) json_t *json = NULL;
        if (hf_yaml_parse(hf_view_of(policy_text), NULL, &json, NULL) < 0 ||
            hf_syncpolicy_decode(json, &policy, &issues) < 0)
            abort();
    }
    struct hf_pipeline *pipeline = hf_pipeline_new(&policy->telemetry, NULL);
    if (pipeline == NULL)
        abort();
    while (run.at < run.end)
        step(&run, pipeline);
    run.full = false;
    if (hf_pipeline_flush(pipeline, run.now_ns, run.now_ns, emit, &run) < 0)
        abort();
    size_t before = run.emitted;
    struct hf_pipeline_stats stats = hf_pipeline_stats(pipeline);
    if (hf_pipeline_tick(pipeline, run.now_ns, run.now_ns, emit, &run) < 0 ||
        run.emitted != before) /* nothing was left to emit */
        abort();
    if (stats.offered != run.offered || stats.series > 6)
        abort();
    hf_pipeline_free(pipeline);
    hf_buf_done(&run.line);
    return 0;
}
