/* SPDX-License-Identifier: Apache-2.0 */
/* An offer works in three steps: it asks all stages and changes nothing, it emits at most one event, and only after
 * that succeeded the stages learn the event. Findings, the values before them and window summaries stay in their
 * series and counters until emit takes them.
 *
 * Findings and events with `anomaly` only pass redaction and enrichment. The value that begins an anomaly and the next
 * `after` values are emitted raw, whatever minSeverity, sample and rate limit say, and are in the window's aggregate
 * too. New events, without an id: findings at begin and end, the raw values before. With a window, raw metrics of this
 * node (no origin) are aggregated; dropped if not finite or if the table of series is full. At the end of each window
 * (or 60 s): holdfast_suppressed {suppressedSource}, holdfast_series_refused, holdfast_top {attribute, value, error}.
 */
#include "telemetry/pipeline/pipeline.h"

#include <errno.h>
#include <math.h>

#include "telemetry/event/match.h"
#include "telemetry/event/member.h"
#include "telemetry/pipeline/filter.h"
#include "telemetry/pipeline/findings.h"
#include "telemetry/pipeline/redact.h"
#include "telemetry/pipeline/topk.h"

#define COUNTS_EVERY_NS (60 * HF_NS_PER_S)
#define KNOWN_MISSING_NS (24 * 3600 * HF_NS_PER_S)
#define PAYLOAD_PREFIX "payload."
enum { MAX_TEXT = 64 << 10, IDLE_PERIODS = 5, MAX_JUDGED = HF_TELEMETRY_MAX_ANOMALIES };

enum period_stage { PERIOD_NONE, PERIOD_SERIES, PERIOD_TOPS, PERIOD_SUPPRESSED, PERIOD_REFUSED };

/* Progress of what the pipeline emits at the end of a period (a window, or 60 s). */
struct period_end {
    enum period_stage stage;
    size_t at, top;
    uint64_t unix_ns, length_ns;
    bool full; /* the table of series is full: remove idle series sooner */
};

/* A value and the verdict of one rule on it. */
struct judged {
    struct hf_anomaly_rule_state *state;
    enum hf_value_kind kind;
    struct hf_sample point;
    enum hf_anomaly_phase phase;
    double measured;
};

struct hf_pipeline {
    const struct hf_telemetry *spec;
    struct hf_filter filter;
    struct hf_redactor redactor;
    struct hf_attribute *enrich;
    size_t n_enrich;
    struct hf_series_table series;
    struct hf_anomaly_rule_state *unseen; /* for each rule: detects the absence of a metric that never came */
    bool rules_on_metrics, rules_on_payloads, hidden[HF_TELEMETRY_MAX_ANOMALIES];
    struct hf_topk *tops;
    struct hf_pipeline_stats stats;
    struct hf_event event, made; /* the offered event, being rewritten; an event of the pipeline's own */
    struct hf_finding_room room;
    uint64_t period_ns, began_ns;
    bool started;
    struct period_end end;
    bool flushing;
    size_t open; /* rule states that have findings to emit */
    uint64_t missing_at_ns, retry_ns;
    uint64_t refused; /* events without a series in this period */
    struct judged judged[MAX_JUDGED];
    size_t n_judged;
};

/* ---- creation ---------------------------------------------------------------------------------------------------- */

static bool is_payload_rule(const struct hf_telemetry_anomaly *rule)
{
    return strncmp(rule->metric, PAYLOAD_PREFIX, strlen(PAYLOAD_PREFIX)) == 0;
}

static struct hf_view member_of(const struct hf_telemetry_anomaly *rule)
{
    return hf_view_of(rule->metric + strlen(PAYLOAD_PREFIX));
}

static bool prepare_rules(struct hf_pipeline *pipeline)
{
    const struct hf_telemetry *spec = pipeline->spec;

    if (spec->n_anomalies == 0)
        return true;
    pipeline->unseen = calloc(spec->n_anomalies, sizeof(*pipeline->unseen));
    for (size_t i = 0; pipeline->unseen != NULL && i < spec->n_anomalies; i++) {
        struct hf_view rest, part;
        pipeline->unseen[i] = (struct hf_anomaly_rule_state){.rule = &spec->anomalies[i]};
        if (!is_payload_rule(&spec->anomalies[i])) {
            pipeline->rules_on_metrics = true;
            continue;
        }
        pipeline->rules_on_payloads = true;
        rest = member_of(&spec->anomalies[i]);
        while (hf_view_split(&rest, '.', &part)) /* no finding may reveal a redacted member */
            pipeline->hidden[i] = pipeline->hidden[i] || hf_redactor_covers(&pipeline->redactor, part);
    }
    return pipeline->unseen != NULL;
}

static bool prepare_tops(struct hf_pipeline *pipeline)
{
    const struct hf_telemetry *spec = pipeline->spec;

    if (spec->n_tops == 0 || spec->window_ns == 0)
        return true;
    pipeline->tops = calloc(spec->n_tops, sizeof(*pipeline->tops));
    for (size_t i = 0; pipeline->tops != NULL && i < spec->n_tops; i++)
        if (hf_topk_init(&pipeline->tops[i], (size_t)spec->top_k) < 0)
            return false;
    return pipeline->tops != NULL;
}

static bool prepare_enrichment(struct hf_pipeline *pipeline, const json_t *node_labels)
{
    const struct hf_telemetry *spec = pipeline->spec;
    const char *key;
    json_t *value;

    pipeline->enrich = calloc(json_object_size(spec->attributes) + HF_TELEMETRY_MAX_LABELS, sizeof(*pipeline->enrich));
    if (pipeline->enrich == NULL)
        return false;
    json_object_foreach(spec->attributes, key, value) {
        const struct hf_view text = {json_string_value(value), json_string_length(value)};
        pipeline->enrich[pipeline->n_enrich++] = (struct hf_attribute){hf_view_of(key), text};
    }
    for (size_t i = 0; i < HF_TELEMETRY_MAX_LABELS && spec->label_keys[i] != NULL; i++) {
        value = json_object_get(node_labels, spec->label_keys[i]);
        if (json_is_string(value))
            pipeline->enrich[pipeline->n_enrich++] = (struct hf_attribute){
                hf_view_of(spec->label_keys[i]), {json_string_value(value), json_string_length(value)}};
    }
    return true;
}

struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels)
{
    _cleanup_(hf_pipeline_freep) struct hf_pipeline *pipeline = calloc(1, sizeof(*pipeline));

    if (pipeline == NULL)
        return NULL;
    pipeline->spec = spec;
    pipeline->period_ns = spec->window_ns > 0 ? spec->window_ns : COUNTS_EVERY_NS;
    pipeline->missing_at_ns = HF_NEVER;
    pipeline->room.text = (struct hf_buf)HF_BUF_INIT(MAX_TEXT);
    hf_filter_init(&pipeline->filter, spec);
    hf_redactor_init(&pipeline->redactor, spec->redacts, spec->n_redacts);
    hf_series_table_init(&pipeline->series, (size_t)spec->max_series);
    if (!prepare_rules(pipeline) || !prepare_tops(pipeline) || !prepare_enrichment(pipeline, node_labels))
        return NULL;
    return hf_steal(pipeline);
}

void hf_pipeline_free(struct hf_pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    for (size_t i = 0; pipeline->tops != NULL && i < pipeline->spec->n_tops; i++)
        hf_topk_done(&pipeline->tops[i]);
    free(pipeline->tops);
    free(pipeline->unseen);
    free(pipeline->enrich);
    hf_series_table_done(&pipeline->series);
    hf_redactor_done(&pipeline->redactor);
    hf_filter_done(&pipeline->filter);
    hf_buf_done(&pipeline->room.text);
    free(pipeline);
}

static void start(struct hf_pipeline *pipeline, uint64_t now_ns)
{
    if (pipeline->started)
        return;
    pipeline->started = true;
    pipeline->began_ns = now_ns;
    for (size_t i = 0; i < pipeline->spec->n_anomalies; i++) {
        pipeline->unseen[i].last.mono_ns = now_ns;
        pipeline->missing_at_ns = HF_MIN(pipeline->missing_at_ns, hf_anomaly_missing_at_ns(&pipeline->unseen[i]));
    }
}

/* ---- emitting ---------------------------------------------------------------------------------------------------- */

/* The caller's emit. If it fails on one of the pipeline's own events with anything but -EAGAIN, the event is lost: it
 * must not block the others. */
struct emitter {
    hf_pipeline_emit *emit;
    void *arg;
};

static void add_enrichment(const struct hf_pipeline *pipeline, struct hf_event *event)
{
    for (size_t i = 0; i < pipeline->n_enrich && event->n_attributes < HF_EVENT_MAX_ATTRIBUTES; i++)
        if (hf_event_attribute(event, pipeline->enrich[i].name) == NULL)
            event->attributes[event->n_attributes++] = pipeline->enrich[i];
}

static int emit_made(struct hf_pipeline *pipeline, const struct emitter *emitter)
{
    add_enrichment(pipeline, &pipeline->made);
    pipeline->made.derived = true;
    int r = emitter->emit(emitter->arg, &pipeline->made);
    return r == -EAGAIN ? r : 0;
}

static int emit_finding(struct hf_pipeline *pipeline, struct hf_anomaly_rule_state *state,
                        const struct hf_series *series, bool begins, const struct emitter *emitter)
{
    int r = hf_finding_make(state, series, begins, &pipeline->room, &pipeline->made);

    return r == -ENOMEM ? -EAGAIN : emit_made(pipeline, emitter);
}

static int emit_of_rule(struct hf_pipeline *pipeline, struct hf_anomaly_rule_state *state,
                        const struct hf_series *series, const struct emitter *emitter)
{
    /* The end of the anomaly before the current one comes first. */
    bool ended_first = state->active && state->ends.open && state->begins.open;
    int r = 0;

    if (ended_first) {
        r = emit_finding(pipeline, state, series, false, emitter);
        state->ends.open = r < 0;
    }
    if (r == 0 && state->begins.open) {
        r = emit_finding(pipeline, state, series, true, emitter);
        state->begins.open = r < 0;
    }
    while (r == 0 && state->before_open > 0) {
        size_t ring = (size_t)state->rule->before;
        hf_finding_context(series, &state->before[(state->before_at + ring - state->before_open) % ring],
                           &pipeline->made);
        r = emit_made(pipeline, emitter);
        state->before_open -= r == 0;
        if (state->before_open == 0)
            state->before_n = 0;
    }
    if (r == 0 && state->ends.open) {
        r = emit_finding(pipeline, state, series, false, emitter);
        state->ends.open = r < 0;
    }
    return r;
}

static int emit_if_pending(struct hf_pipeline *pipeline, struct hf_anomaly_rule_state *state,
                           const struct hf_series *series, const struct emitter *emitter)
{
    int r = hf_anomaly_has_pending(state) ? emit_of_rule(pipeline, state, series, emitter) : 1;

    if (r == 0)
        pipeline->open--;
    return HF_MIN(r, 0);
}

/* Emits the pending findings of all rules. */
static int emit_pending(struct hf_pipeline *pipeline, const struct emitter *emitter)
{
    int r = 0;

    for (size_t i = 0; r == 0 && pipeline->open > 0 && i < pipeline->spec->n_anomalies; i++)
        r = emit_if_pending(pipeline, &pipeline->unseen[i], NULL, emitter);
    for (size_t i = 0; r == 0 && pipeline->open > 0 && i < pipeline->series.n; i++) {
        struct hf_series *series = pipeline->series.all[i];
        for (size_t k = 0; r == 0 && k < series->n_rule_states; k++)
            r = emit_if_pending(pipeline, &series->rule_states[k], series, emitter);
    }
    return r;
}

/* ---- the end of a period ----------------------------------------------------------------------------------------- */

static void begin_period_end(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns)
{
    uint64_t length = now_ns - pipeline->began_ns, period = pipeline->period_ns;

    /* Ignore a small delay, so that windows have equal lengths and compare. */
    if (length > period && length - period < period / 16)
        length = period;
    pipeline->end = (struct period_end){.stage = PERIOD_SERIES, .unix_ns = unix_ns, .length_ns = HF_MAX(length, 1u)};
    pipeline->end.full = pipeline->series.n >= pipeline->series.max;
    pipeline->began_ns = now_ns;
    for (size_t i = 0; pipeline->tops != NULL && i < pipeline->spec->n_tops; i++)
        hf_topk_sort(&pipeline->tops[i]);
}

/* True if a series had no value for a long time and has nothing to emit. A series whose absence was reported stays for
 * a day, so that its return is reported too. */
static bool is_idle(const struct hf_pipeline *pipeline, const struct hf_series *series, uint64_t now_ns)
{
    bool full = pipeline->end.full;
    uint64_t idle_ns = now_ns - series->last_ns, least_ns = (full ? 1u : (unsigned)IDLE_PERIODS) * pipeline->period_ns;

    for (size_t i = 0; i < series->n_rule_states; i++) {
        const struct hf_anomaly_rule_state *state = &series->rule_states[i];
        if (hf_anomaly_has_pending(state) || hf_anomaly_missing_at_ns(state) != HF_NEVER)
            return false;
        if (state->rule->kind == HF_ANOMALY_ABSENCE && !full)
            least_ns = HF_MAX(least_ns, KNOWN_MISSING_NS);
    }
    return idle_ns > least_ns;
}

static int emit_series(struct hf_pipeline *pipeline, uint64_t now_ns, const struct emitter *emitter)
{
    struct period_end *end = &pipeline->end;

    while (end->at < pipeline->series.n) {
        struct hf_series *series = pipeline->series.all[end->at];
        if (series->aggregate.count > 0) {
            hf_series_event(series, &pipeline->made);
            pipeline->made.unix_ns = end->unix_ns;
            pipeline->made.window_ns = end->length_ns;
            int r = hf_aggregate_fill(&series->aggregate, &pipeline->made, &pipeline->room.text);
            r = r == -ENOMEM ? -EAGAIN : emit_made(pipeline, emitter);
            if (r < 0)
                return r;
            hf_aggregate_next(&series->aggregate);
        }
        if (is_idle(pipeline, series, now_ns))
            hf_series_remove(&pipeline->series, end->at);
        else
            end->at++;
    }
    return 0;
}

/* Emits a count of the pipeline; the caller has set attributes and boundary in `made`. */
static int emit_count(struct hf_pipeline *pipeline, struct hf_view name, uint64_t count, const struct emitter *emitter)
{
    struct hf_event *event = &pipeline->made;

    event->kind = HF_EVENT_METRIC;
    event->source_class = HF_SOURCE_AGENT;
    event->source = HF_VIEW("agent:pipeline");
    event->severity = HF_SEVERITY_INFO;
    event->unix_ns = pipeline->end.unix_ns;
    event->window_ns = pipeline->end.length_ns;
    event->value_kind = HF_VALUE_COUNTER;
    event->name = name;
    event->value = (double)count;
    return emit_made(pipeline, emitter);
}

static struct hf_event *blank(struct hf_pipeline *pipeline)
{
    memset(&pipeline->made, 0, offsetof(struct hf_event, attributes));
    pipeline->made.n_attributes = 0;
    return &pipeline->made;
}

static int emit_top(struct hf_pipeline *pipeline, const struct hf_topk_entry *entry, const char *attribute,
                    const struct emitter *emitter)
{
    struct hf_event *event = blank(pipeline);
    char error[HF_NUMBER_TEXT];

    event->boundary = hf_topk_boundary(entry);
    event->attributes[0] = (struct hf_attribute){HF_VIEW("attribute"), hf_view_of(attribute)};
    event->attributes[1] = (struct hf_attribute){HF_VIEW("value"), hf_topk_value(entry)};
    event->attributes[2] = (struct hf_attribute){HF_VIEW("error"), {error, hf_number_u64(entry->error, error)}};
    event->n_attributes = 3;
    return emit_count(pipeline, HF_VIEW("holdfast_top"), entry->count, emitter);
}

static int emit_tops(struct hf_pipeline *pipeline, const struct emitter *emitter)
{
    struct period_end *end = &pipeline->end;

    for (; pipeline->tops != NULL && end->top < pipeline->spec->n_tops; end->top++, end->at = 0) {
        struct hf_topk *top = &pipeline->tops[end->top];
        for (; end->at < HF_MIN(top->n, (size_t)pipeline->spec->top_k); end->at++) {
            int r = emit_top(pipeline, &top->entries[end->at], pipeline->spec->tops[end->top].attribute, emitter);
            if (r < 0)
                return r;
        }
        hf_topk_clear(top);
    }
    return 0;
}

static int emit_suppressed(struct hf_pipeline *pipeline, const struct emitter *emitter)
{
    for (; pipeline->end.at < pipeline->filter.n_buckets; pipeline->end.at++) {
        struct hf_token_bucket *bucket = &pipeline->filter.buckets[pipeline->end.at];
        struct hf_event *event = blank(pipeline);
        if (bucket->suppressed == 0)
            continue;
        event->attributes[0] = (struct hf_attribute){HF_VIEW("suppressedSource"), {bucket->source, bucket->source_n}};
        event->n_attributes = 1;
        int r = emit_count(pipeline, HF_VIEW("holdfast_suppressed"), bucket->suppressed, emitter);
        if (r < 0)
            return r;
        bucket->suppressed = 0;
    }
    return 0;
}

static int emit_refused(struct hf_pipeline *pipeline, const struct emitter *emitter)
{
    int r = 0;

    if (pipeline->refused == 0)
        return 0;
    (void)blank(pipeline);
    r = emit_count(pipeline, HF_VIEW("holdfast_series_refused"), pipeline->refused, emitter);
    if (r == 0)
        pipeline->refused = 0;
    return r;
}

/* Continues to emit what the end of a period brings. */
static int continue_period_end(struct hf_pipeline *pipeline, uint64_t now_ns, const struct emitter *emitter)
{
    struct period_end *end = &pipeline->end;
    int r = 0;

    while (r == 0 && end->stage != PERIOD_NONE) {
        switch (end->stage) {
        case PERIOD_SERIES:
            r = emit_series(pipeline, now_ns, emitter);
            break;
        case PERIOD_TOPS:
            r = emit_tops(pipeline, emitter);
            break;
        case PERIOD_SUPPRESSED:
            r = emit_suppressed(pipeline, emitter);
            break;
        case PERIOD_REFUSED:
        case PERIOD_NONE:
        default:
            r = emit_refused(pipeline, emitter);
            break;
        }
        if (r == 0) {
            end->stage = end->stage == PERIOD_REFUSED ? PERIOD_NONE : end->stage + 1;
            end->at = 0;
        }
    }
    return r;
}

static int emit_all(struct hf_pipeline *pipeline, uint64_t now_ns, const struct emitter *emitter)
{
    int r = emit_pending(pipeline, emitter);

    if (r == 0)
        r = continue_period_end(pipeline, now_ns, emitter);
    pipeline->retry_ns = r < 0 ? now_ns + HF_NS_PER_S : 0;
    return r;
}

/* ---- judging values ---------------------------------------------------------------------------------------------- */

/* Ignores -ENOMEM: to miss a rule is better than to lose the event. */
static void attach_rules(struct hf_pipeline *pipeline, struct hf_series *series, struct hf_view name, bool payload)
{
    const struct hf_telemetry *spec = pipeline->spec;
    size_t n = 0;
    bool about[HF_TELEMETRY_MAX_ANOMALIES] = {false};

    for (size_t i = 0; i < spec->n_anomalies; i++) {
        about[i] = is_payload_rule(&spec->anomalies[i]) == payload && hf_match_glob(spec->anomalies[i].metric, name);
        n += about[i];
    }
    if (n > 0)
        series->rule_states = calloc(n, sizeof(*series->rule_states));
    hf_series_charge(&pipeline->series, series, n * sizeof(*series->rule_states));
    for (size_t i = 0; series->rule_states != NULL && i < spec->n_anomalies; i++) {
        if (!about[i] || hf_anomaly_init(&series->rule_states[series->n_rule_states], &spec->anomalies[i]) < 0)
            continue;
        hf_series_charge(&pipeline->series, series, (size_t)spec->anomalies[i].before * sizeof(struct hf_sample));
        /* The missing metric has come: from now on its series reports the absence's end. */
        series->rule_states[series->n_rule_states++].active = pipeline->unseen[i].active;
        pipeline->unseen[i].active = false;
        pipeline->unseen[i].last.mono_ns = HF_NEVER / 2;
    }
}

/* Returns the series of a value, with the states of its rules; NULL: the table is full. */
static struct hf_series *find_series(struct hf_pipeline *pipeline, struct hf_view name, bool payload)
{
    bool is_new;
    struct hf_series *series = hf_series_get(&pipeline->series, &pipeline->event, name, &is_new);

    if (series != NULL && is_new)
        attach_rules(pipeline, series, name, payload);
    if (series == NULL) {
        pipeline->refused++;
        pipeline->stats.series_refused++;
    }
    return series;
}

static void judge_series(struct hf_pipeline *pipeline, struct hf_series *series, enum hf_value_kind kind,
                         const struct hf_sample *point)
{
    for (size_t i = 0; i < series->n_rule_states && pipeline->n_judged < MAX_JUDGED; i++) {
        struct judged *judged = &pipeline->judged[pipeline->n_judged++];
        *judged = (struct judged){.state = &series->rule_states[i], .kind = kind, .point = *point};
        judged->phase = hf_anomaly_judge(judged->state, kind, point, &judged->measured);
    }
}

static bool rule_repeats(const struct hf_telemetry *spec, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(spec->anomalies[k].metric, spec->anomalies[i].metric) == 0)
            return true;
    return false;
}

/* Judges the members of a payload that rules name; each is a gauge of its own. */
static void judge_payload(struct hf_pipeline *pipeline, struct hf_sample *point)
{
    const struct hf_telemetry *spec = pipeline->spec;

    for (size_t i = 0; i < spec->n_anomalies; i++) {
        if (!is_payload_rule(&spec->anomalies[i]) || pipeline->hidden[i] || rule_repeats(spec, i) ||
            !hf_member_number(pipeline->event.body, member_of(&spec->anomalies[i]), &point->value))
            continue;
        pipeline->event.value_kind = HF_VALUE_GAUGE;
        struct hf_series *series = find_series(pipeline, hf_view_of(spec->anomalies[i].metric), true);
        pipeline->event.value_kind = HF_VALUE_NONE;
        if (series == NULL)
            continue;
        series->last_ns = point->mono_ns;
        judge_series(pipeline, series, HF_VALUE_GAUGE, point);
    }
}

/* True if a rule wants the raw value to pass. */
static bool is_wanted_raw(const struct hf_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->n_judged; i++)
        if (pipeline->judged[i].phase == HF_ANOMALY_PHASE_BEGINS || pipeline->judged[i].state->after > 0)
            return true;
    return false;
}

static void learn(struct hf_pipeline *pipeline, bool aggregated)
{
    for (size_t i = 0; i < pipeline->n_judged; i++) {
        struct judged *judged = &pipeline->judged[i];
        bool was_open = hf_anomaly_has_pending(judged->state);
        hf_anomaly_learn(judged->state, judged->kind, &judged->point, judged->phase, judged->measured, aggregated);
        pipeline->open += !was_open && hf_anomaly_has_pending(judged->state);
        pipeline->stats.anomalies += judged->phase == HF_ANOMALY_PHASE_BEGINS;
        pipeline->missing_at_ns = HF_MIN(pipeline->missing_at_ns, hf_anomaly_missing_at_ns(judged->state));
    }
}

/* ---- offers ------------------------------------------------------------------------------------------------------ */

static void copy_event(struct hf_event *to, const struct hf_event *from)
{
    memcpy(to, from, offsetof(struct hf_event, attributes));
    memcpy(to->attributes, from->attributes, from->n_attributes * sizeof(from->attributes[0]));
    to->n_attributes = from->n_attributes;
}

static int pass(struct hf_pipeline *pipeline, const struct emitter *emitter)
{
    int r = hf_redact_body(&pipeline->redactor, &pipeline->event);

    if (r < 0)
        return r;
    add_enrichment(pipeline, &pipeline->event);
    return emitter->emit(emitter->arg, &pipeline->event);
}

static void count_tops(struct hf_pipeline *pipeline)
{
    const struct hf_telemetry *spec = pipeline->spec;

    /* Not while the pipeline emits the counts of the last period: events that come meanwhile do not count. */
    for (size_t i = 0; pipeline->tops != NULL && pipeline->end.stage == PERIOD_NONE && i < spec->n_tops; i++) {
        const struct hf_view *value = hf_event_attribute(&pipeline->event, hf_view_of(spec->tops[i].attribute));
        if (value != NULL && hf_match(&spec->tops[i].match, &pipeline->event))
            hf_topk_add(&pipeline->tops[i], pipeline->event.boundary, *value);
    }
}

static int count_filtered(struct hf_pipeline *pipeline, enum hf_filter_result keep)
{
    pipeline->stats.filtered += keep == HF_FILTER_BELOW;
    pipeline->stats.dropped += keep == HF_FILTER_DROPPED;
    pipeline->stats.sampled += keep == HF_FILTER_SAMPLED;
    pipeline->stats.rate_limited += keep == HF_FILTER_LIMITED;
    return HF_OFFER_FILTERED;
}

static bool is_aggregatable(const struct hf_pipeline *pipeline)
{
    const struct hf_event *event = &pipeline->event;

    return pipeline->spec->window_ns > 0 && event->kind == HF_EVENT_METRIC && event->value_kind != HF_VALUE_NONE &&
           event->window_ns == 0 && event->histogram.n == 0 && event->origin.n == 0;
}

/* Judges the event by all rules that apply. Returns the series of a metric; NULL: no series needs it, or the table is
 * full. */
static struct hf_series *judge(struct hf_pipeline *pipeline, bool aggregated, uint64_t now_ns)
{
    struct hf_event *event = &pipeline->event;
    struct hf_sample point = {.mono_ns = now_ns, .unix_ns = event->unix_ns, .value = event->value};
    struct hf_series *series = NULL;

    pipeline->n_judged = 0;
    if (event->kind == HF_EVENT_PAYLOAD && pipeline->rules_on_payloads && event->origin.n == 0)
        judge_payload(pipeline, &point);
    if (event->kind != HF_EVENT_METRIC || !isfinite(event->value) ||
        (!aggregated && (!pipeline->rules_on_metrics || event->value_kind == HF_VALUE_NONE || event->window_ns > 0 ||
                         event->origin.n > 0)))
        return NULL;
    series = find_series(pipeline, event->name, false);
    if (series == NULL)
        return NULL;
    series->last_ns = now_ns;
    judge_series(pipeline, series, event->value_kind, &point);
    return series;
}

static int offer_kept(struct hf_pipeline *pipeline, struct hf_series *series, bool aggregated,
                      const struct emitter *emitter)
{
    bool raw = !aggregated || pipeline->event.anomaly;
    int r = 0;

    if (raw)
        r = pass(pipeline, emitter);
    if (r < 0)
        return r;
    if (aggregated && hf_aggregate_add(&series->aggregate, pipeline->event.value_kind, pipeline->event.value) < 0 &&
        !raw)
        return -EAGAIN;
    count_tops(pipeline);
    hf_filter_commit(&pipeline->filter);
    pipeline->stats.passed += raw;
    pipeline->stats.aggregated += aggregated;
    return raw ? HF_OFFER_STORED : HF_OFFER_AGGREGATED;
}

static int offer_ordinary(struct hf_pipeline *pipeline, uint64_t now_ns, const struct emitter *emitter)
{
    struct hf_event *event = &pipeline->event;
    bool aggregated = is_aggregatable(pipeline);
    enum hf_filter_result keep = HF_FILTER_KEPT;
    int r;

    if (aggregated && pipeline->end.stage != PERIOD_NONE && emit_all(pipeline, now_ns, emitter) < 0)
        return -EAGAIN; /* the summary of its last window is not out yet */
    struct hf_series *series = judge(pipeline, aggregated, now_ns);
    if (aggregated && series == NULL)
        return count_filtered(pipeline, HF_FILTER_KEPT); /* not finite, or beyond maxSeries */
    event->anomaly = is_wanted_raw(pipeline);
    if (!event->anomaly)
        keep = hf_filter_judge(&pipeline->filter, event, now_ns);
    r = keep == HF_FILTER_KEPT ? offer_kept(pipeline, series, aggregated, emitter) : count_filtered(pipeline, keep);
    if (r < 0)
        return r;
    learn(pipeline, aggregated);
    return r;
}

int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                      HF_UNUSED uint64_t unix_ns, hf_pipeline_emit *emit, void *arg)
{
    const struct emitter emitter = {emit, arg};
    bool special = event->kind == HF_EVENT_FINDING || event->anomaly;
    int r;

    start(pipeline, now_ns);
    if (!special && hf_filter_drops(&pipeline->filter, event)) {
        pipeline->stats.offered++;
        return count_filtered(pipeline, HF_FILTER_DROPPED);
    }
    copy_event(&pipeline->event, event);
    if (pipeline->redactor.n_rules > 0)
        hf_redact_attributes(&pipeline->redactor, &pipeline->event);
    if (special) {
        r = pass(pipeline, &emitter);
        pipeline->stats.passed += r >= 0;
        r = r < 0 ? r : (int)HF_OFFER_STORED;
    } else {
        r = offer_ordinary(pipeline, now_ns, &emitter);
    }
    if (r < 0)
        return r;
    pipeline->stats.offered++;
    if (pipeline->open > 0 && emit_pending(pipeline, &emitter) < 0)
        pipeline->retry_ns = now_ns + HF_NS_PER_S;
    return r;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void check_absence(struct hf_pipeline *pipeline, struct hf_anomaly_rule_state *state, uint64_t now_ns,
                          uint64_t unix_ns)
{
    bool was_open = hf_anomaly_has_pending(state);

    if (hf_anomaly_missing(state, now_ns, unix_ns)) {
        pipeline->open += !was_open;
        pipeline->stats.anomalies++;
    }
    pipeline->missing_at_ns = HF_MIN(pipeline->missing_at_ns, hf_anomaly_missing_at_ns(state));
}

static void check_absences(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns)
{
    pipeline->missing_at_ns = HF_NEVER;
    for (size_t i = 0; i < pipeline->spec->n_anomalies; i++)
        check_absence(pipeline, &pipeline->unseen[i], now_ns, unix_ns);
    for (size_t i = 0; i < pipeline->series.n; i++)
        for (size_t k = 0; k < pipeline->series.all[i]->n_rule_states; k++)
            check_absence(pipeline, &pipeline->series.all[i]->rule_states[k], now_ns, unix_ns);
}

int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns, hf_pipeline_emit *emit, void *arg)
{
    const struct emitter emitter = {emit, arg};

    start(pipeline, now_ns);
    if (now_ns >= pipeline->missing_at_ns)
        check_absences(pipeline, now_ns, unix_ns);
    if (pipeline->end.stage == PERIOD_NONE && now_ns - pipeline->began_ns >= pipeline->period_ns)
        begin_period_end(pipeline, now_ns, unix_ns);
    return emit_all(pipeline, now_ns, &emitter);
}

uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline)
{
    if (!pipeline->started)
        return HF_NEVER;
    if (pipeline->retry_ns > 0)
        return pipeline->retry_ns;
    return HF_MIN(pipeline->began_ns + pipeline->period_ns, pipeline->missing_at_ns);
}

int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns, hf_pipeline_emit *emit,
                      void *arg)
{
    const struct emitter emitter = {emit, arg};

    start(pipeline, now_ns);
    int r = emit_all(pipeline, now_ns, &emitter); /* complete a period that has already ended */
    if (r < 0)
        return r;
    if (!pipeline->flushing)
        begin_period_end(pipeline, now_ns, unix_ns);
    pipeline->flushing = true;
    r = emit_all(pipeline, now_ns, &emitter);
    if (r == 0)
        pipeline->flushing = false;
    return r;
}

struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline)
{
    struct hf_pipeline_stats stats = pipeline->stats;

    stats.series = pipeline->series.n;
    return stats;
}
