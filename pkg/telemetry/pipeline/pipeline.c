/* The order in which the parts of the pipeline are asked, and what waits to be told.
 *
 * An offer first asks everything and changes nothing; then it emits, at most one event; only when that went well does it remember.
 * What is told besides (findings, the values before them, windows) lies in the series and counters it is about until emit took it. */
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

enum stage { STAGE_NONE, STAGE_SERIES, STAGE_TOPS, STAGE_SUPPRESSED, STAGE_REFUSED };

/* What goes out at the end of a period, and how far that has come. */
struct turn {
    enum stage stage;
    size_t at, top;
    uint64_t unix_ns, length_ns;
    bool full; /* there was no room for another series: idle ones go sooner */
};

/* A value and what a rule thinks of it. */
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
    struct hf_anomaly_rule_state *unseen; /* for each rule: what is missing though it was never there */
    bool watches_metrics, watches_payloads, hidden[HF_TELEMETRY_MAX_ANOMALIES];
    struct hf_topk *tops;
    struct hf_pipeline_stats stats;
    struct hf_event event, made; /* the one offered, as it is to leave; one of our own */
    struct hf_finding_room room;
    uint64_t period_ns, began_ns;
    bool started;
    struct turn turn;
    bool flushing;
    size_t open; /* rule_states with something to tell */
    uint64_t missing_at_ns, retry_ns;
    uint64_t refused; /* series, in this period */
    struct judged judged[MAX_JUDGED];
    size_t n_judged;
};

/* ---- made and freed -------------------------------------------------------------------------------------------------- */

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
        pipeline->unseen[i] = (struct hf_anomaly_rule_state){.rule = &spec->anomalies[i], .rule_index = i};
        if (!is_payload_rule(&spec->anomalies[i])) {
            pipeline->watches_metrics = true;
            continue;
        }
        pipeline->watches_payloads = true;
        rest = member_of(&spec->anomalies[i]);
        while (hf_view_split(&rest, '.', &part)) /* what is redacted is told in no finding either */
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
        if (hf_topk_init(&pipeline->tops[i], spec->top_k) < 0)
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

/* ---- telling --------------------------------------------------------------------------------------------------------- */

/* Where emit goes. Of an event of our own any failure but "later" is its end: it must not hold up the others. */
struct outlet {
    hf_pipeline_emit *emit;
    void *arg;
};

static void add_enrichment(const struct hf_pipeline *pipeline, struct hf_event *event)
{
    for (size_t i = 0; i < pipeline->n_enrich && event->n_attributes < HF_EVENT_MAX_ATTRIBUTES; i++)
        if (hf_event_attribute(event, pipeline->enrich[i].name) == NULL)
            event->attributes[event->n_attributes++] = pipeline->enrich[i];
}

static int tell(struct hf_pipeline *pipeline, const struct outlet *outlet)
{
    add_enrichment(pipeline, &pipeline->made);
    int r = outlet->emit(outlet->arg, &pipeline->made);
    return r == -EAGAIN ? r : 0;
}

static int tell_finding(struct hf_pipeline *pipeline, struct hf_anomaly_rule_state *state,
                        const struct hf_series *series, bool begins, const struct outlet *outlet)
{
    int r = hf_finding_make(state, series, begins, &pipeline->room, &pipeline->made);

    return r == -ENOMEM ? -EAGAIN : tell(pipeline, outlet);
}

static int tell_watch(struct hf_pipeline *pipeline, struct hf_anomaly_rule_state *state, const struct hf_series *series,
                      const struct outlet *outlet)
{
    /* What ended before the last beginning comes first. */
    bool ended_first = state->active && state->ends.open && state->begins.open;
    int r = 0;

    if (ended_first) {
        r = tell_finding(pipeline, state, series, false, outlet);
        state->ends.open = r < 0;
    }
    if (r == 0 && state->begins.open) {
        r = tell_finding(pipeline, state, series, true, outlet);
        state->begins.open = r < 0;
    }
    while (r == 0 && state->before_open > 0) {
        size_t ring = (size_t)state->rule->before;
        hf_finding_context(series, &state->before[(state->before_at + ring - state->before_open) % ring],
                           &pipeline->made);
        r = tell(pipeline, outlet);
        state->before_open -= r == 0;
        if (state->before_open == 0)
            state->before_n = 0;
    }
    if (r == 0 && state->ends.open) {
        r = tell_finding(pipeline, state, series, false, outlet);
        state->ends.open = r < 0;
    }
    return r;
}

static int tell_if_open(struct hf_pipeline *pipeline, struct hf_anomaly_rule_state *state,
                        const struct hf_series *series, const struct outlet *outlet)
{
    int r = hf_anomaly_has_pending(state) ? tell_watch(pipeline, state, series, outlet) : 1;

    if (r == 0)
        pipeline->open--;
    return HF_MIN(r, 0);
}

/* All that rule_states have to tell. */
static int tell_watches(struct hf_pipeline *pipeline, const struct outlet *outlet)
{
    int r = 0;

    for (size_t i = 0; r == 0 && pipeline->open > 0 && i < pipeline->spec->n_anomalies; i++)
        r = tell_if_open(pipeline, &pipeline->unseen[i], NULL, outlet);
    for (size_t i = 0; r == 0 && pipeline->open > 0 && i < pipeline->series.n; i++) {
        struct hf_series *series = pipeline->series.all[i];
        for (size_t k = 0; r == 0 && k < series->n_rule_states; k++)
            r = tell_if_open(pipeline, &series->rule_states[k], series, outlet);
    }
    return r;
}

/* ---- the end of a period --------------------------------------------------------------------------------------------- */

static void begin_turn(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns)
{
    uint64_t length = now_ns - pipeline->began_ns, period = pipeline->period_ns;

    /* A little late is on time: windows of one length compare. */
    if (length > period && length - period < period / 16)
        length = period;
    pipeline->turn = (struct turn){.stage = STAGE_SERIES, .unix_ns = unix_ns, .length_ns = HF_MAX(length, 1u)};
    pipeline->turn.full = pipeline->series.n >= pipeline->series.max;
    pipeline->began_ns = now_ns;
    for (size_t i = 0; pipeline->tops != NULL && i < pipeline->spec->n_tops; i++)
        hf_topk_sort(&pipeline->tops[i]);
}

/* Gone for long, and with nothing to tell. What is missing and was told as missing is known for a day, so that its return is told. */
static bool is_idle(const struct hf_pipeline *pipeline, const struct hf_series *series, uint64_t now_ns)
{
    bool full = pipeline->turn.full;
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

static int turn_series(struct hf_pipeline *pipeline, uint64_t now_ns, const struct outlet *outlet)
{
    struct turn *turn = &pipeline->turn;

    while (turn->at < pipeline->series.n) {
        struct hf_series *series = pipeline->series.all[turn->at];
        if (series->aggregate.count > 0) {
            hf_series_event(series, &pipeline->made);
            pipeline->made.unix_ns = turn->unix_ns;
            pipeline->made.window_ns = turn->length_ns;
            int r = hf_aggregate_fill(&series->aggregate, &pipeline->made, &pipeline->room.text);
            r = r == -ENOMEM ? -EAGAIN : tell(pipeline, outlet);
            if (r < 0)
                return r;
            hf_aggregate_next(&series->aggregate);
        }
        if (is_idle(pipeline, series, now_ns))
            hf_series_remove(&pipeline->series, turn->at);
        else
            turn->at++;
    }
    return 0;
}

/* A count of our own; attributes of *made and its boundary are there already. */
static int tell_count(struct hf_pipeline *pipeline, struct hf_view name, uint64_t count, const struct outlet *outlet)
{
    struct hf_event *event = &pipeline->made;

    event->kind = HF_EVENT_METRIC;
    event->source_class = HF_SOURCE_AGENT;
    event->source = HF_VIEW("agent:pipeline");
    event->severity = HF_SEVERITY_INFO;
    event->unix_ns = pipeline->turn.unix_ns;
    event->window_ns = pipeline->turn.length_ns;
    event->value_kind = HF_VALUE_COUNTER;
    event->name = name;
    event->value = (double)count;
    return tell(pipeline, outlet);
}

static struct hf_event *blank(struct hf_pipeline *pipeline)
{
    memset(&pipeline->made, 0, offsetof(struct hf_event, attributes));
    pipeline->made.n_attributes = 0;
    return &pipeline->made;
}

static int tell_top(struct hf_pipeline *pipeline, const struct hf_topk_entry *entry, const char *attribute,
                    const struct outlet *outlet)
{
    struct hf_event *event = blank(pipeline);
    char error[HF_NUMBER_TEXT];

    event->boundary = hf_topk_boundary(entry);
    event->attributes[0] = (struct hf_attribute){HF_VIEW("attribute"), hf_view_of(attribute)};
    event->attributes[1] = (struct hf_attribute){HF_VIEW("value"), hf_topk_value(entry)};
    event->attributes[2] = (struct hf_attribute){HF_VIEW("error"), {error, hf_number_u64(entry->error, error)}};
    event->n_attributes = 3;
    return tell_count(pipeline, HF_VIEW("holdfast_top"), entry->count, outlet);
}

static int turn_tops(struct hf_pipeline *pipeline, const struct outlet *outlet)
{
    struct turn *turn = &pipeline->turn;

    for (; pipeline->tops != NULL && turn->top < pipeline->spec->n_tops; turn->top++, turn->at = 0) {
        struct hf_topk *top = &pipeline->tops[turn->top];
        for (; turn->at < HF_MIN(top->n, (size_t)pipeline->spec->top_k); turn->at++) {
            int r = tell_top(pipeline, &top->entries[turn->at], pipeline->spec->tops[turn->top].attribute, outlet);
            if (r < 0)
                return r;
        }
        hf_topk_clear(top);
    }
    return 0;
}

static int turn_suppressed(struct hf_pipeline *pipeline, const struct outlet *outlet)
{
    for (; pipeline->turn.at < pipeline->filter.n_buckets; pipeline->turn.at++) {
        struct hf_token_bucket *bucket = &pipeline->filter.buckets[pipeline->turn.at];
        struct hf_event *event = blank(pipeline);
        if (bucket->suppressed == 0)
            continue;
        event->attributes[0] = (struct hf_attribute){HF_VIEW("suppressedSource"), {bucket->source, bucket->source_n}};
        event->n_attributes = 1;
        int r = tell_count(pipeline, HF_VIEW("holdfast_suppressed"), bucket->suppressed, outlet);
        if (r < 0)
            return r;
        bucket->suppressed = 0;
    }
    return 0;
}

static int turn_refused(struct hf_pipeline *pipeline, const struct outlet *outlet)
{
    int r = 0;

    if (pipeline->refused == 0)
        return 0;
    (void)blank(pipeline);
    r = tell_count(pipeline, HF_VIEW("holdfast_series_refused"), pipeline->refused, outlet);
    if (r == 0)
        pipeline->refused = 0;
    return r;
}

/* Go on with what the end of a period brings. */
static int go_on(struct hf_pipeline *pipeline, uint64_t now_ns, const struct outlet *outlet)
{
    struct turn *turn = &pipeline->turn;
    int r = 0;

    while (r == 0 && turn->stage != STAGE_NONE) {
        switch (turn->stage) {
        case STAGE_SERIES:
            r = turn_series(pipeline, now_ns, outlet);
            break;
        case STAGE_TOPS:
            r = turn_tops(pipeline, outlet);
            break;
        case STAGE_SUPPRESSED:
            r = turn_suppressed(pipeline, outlet);
            break;
        case STAGE_REFUSED:
        case STAGE_NONE:
        default:
            r = turn_refused(pipeline, outlet);
            break;
        }
        if (r == 0) {
            turn->stage = turn->stage == STAGE_REFUSED ? STAGE_NONE : turn->stage + 1;
            turn->at = 0;
        }
    }
    return r;
}

static int tell_all(struct hf_pipeline *pipeline, uint64_t now_ns, const struct outlet *outlet)
{
    int r = tell_watches(pipeline, outlet);

    if (r == 0)
        r = go_on(pipeline, now_ns, outlet);
    pipeline->retry_ns = r < 0 ? now_ns + HF_NS_PER_S : 0;
    return r;
}

/* ---- judging values -------------------------------------------------------------------------------------------------- */

/* Not -ENOMEM: a rule that cannot be watched is not worth losing the event. */
static void attach_watches(struct hf_pipeline *pipeline, struct hf_series *series, struct hf_view name, bool payload)
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
    for (size_t i = 0; series->rule_states != NULL && i < spec->n_anomalies; i++) {
        if (!about[i] || hf_anomaly_init(&series->rule_states[series->n_rule_states], &spec->anomalies[i], i) < 0)
            continue;
        /* What was missing is there: its return is told by the series. */
        series->rule_states[series->n_rule_states++].active = pipeline->unseen[i].active;
        pipeline->unseen[i].active = false;
        pipeline->unseen[i].last.mono_ns = HF_NEVER / 2;
    }
}

/* The series of a value, with what rule_states it; NULL: there is no room. */
static struct hf_series *find_series(struct hf_pipeline *pipeline, struct hf_view name, bool payload)
{
    bool is_new;
    struct hf_series *series = hf_series_get(&pipeline->series, &pipeline->event, name, &is_new);

    if (series != NULL && is_new)
        attach_watches(pipeline, series, name, payload);
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

/* Members of a payload are gauges of their own. */
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

/* Whether the raw value is wanted by what rule_states it. */
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

/* ---- offers ---------------------------------------------------------------------------------------------------------- */

static void copy_event(struct hf_event *to, const struct hf_event *from)
{
    memcpy(to, from, offsetof(struct hf_event, attributes));
    memcpy(to->attributes, from->attributes, from->n_attributes * sizeof(from->attributes[0]));
    to->n_attributes = from->n_attributes;
}

static int pass(struct hf_pipeline *pipeline, const struct outlet *outlet)
{
    int r = hf_redact_body(&pipeline->redactor, &pipeline->event);

    if (r < 0)
        return r;
    add_enrichment(pipeline, &pipeline->event);
    return outlet->emit(outlet->arg, &pipeline->event);
}

static void count_tops(struct hf_pipeline *pipeline)
{
    const struct hf_telemetry *spec = pipeline->spec;

    /* While the last period's are being told they are not touched: what comes meanwhile is not counted. */
    for (size_t i = 0; pipeline->tops != NULL && pipeline->turn.stage == STAGE_NONE && i < spec->n_tops; i++) {
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

/* The series of a metric that is aggregated or watched, and what its rules think of the value. */
static struct hf_series *judge(struct hf_pipeline *pipeline, bool aggregated, uint64_t now_ns)
{
    struct hf_event *event = &pipeline->event;
    struct hf_sample point = {.mono_ns = now_ns, .unix_ns = event->unix_ns, .value = event->value};
    struct hf_series *series = NULL;

    pipeline->n_judged = 0;
    if (event->kind == HF_EVENT_PAYLOAD && pipeline->watches_payloads && event->origin.n == 0)
        judge_payload(pipeline, &point);
    if (event->kind != HF_EVENT_METRIC || !isfinite(event->value) ||
        (!aggregated && (!pipeline->watches_metrics || event->value_kind == HF_VALUE_NONE || event->window_ns > 0 ||
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
                      const struct outlet *outlet)
{
    bool raw = !aggregated || pipeline->event.anomaly;
    int r = 0;

    if (raw)
        r = pass(pipeline, outlet);
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

static int offer_ordinary(struct hf_pipeline *pipeline, uint64_t now_ns, const struct outlet *outlet)
{
    struct hf_event *event = &pipeline->event;
    bool aggregated = is_aggregatable(pipeline);
    enum hf_filter_result keep = HF_FILTER_KEPT;
    int r;

    if (aggregated && pipeline->turn.stage != STAGE_NONE && tell_all(pipeline, now_ns, outlet) < 0)
        return -EAGAIN; /* its window is still going out */
    struct hf_series *series = judge(pipeline, aggregated, now_ns);
    if (aggregated && series == NULL)
        return count_filtered(pipeline, HF_FILTER_KEPT); /* not finite, or beyond maxSeries */
    event->anomaly = is_wanted_raw(pipeline);
    if (!event->anomaly)
        keep = hf_filter_judge(&pipeline->filter, event, now_ns);
    r = keep == HF_FILTER_KEPT ? offer_kept(pipeline, series, aggregated, outlet) : count_filtered(pipeline, keep);
    if (r < 0)
        return r;
    learn(pipeline, aggregated);
    return r;
}

int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns, uint64_t unix_ns,
                      hf_pipeline_emit *emit, void *arg)
{
    const struct outlet outlet = {emit, arg};
    bool special = event->kind == HF_EVENT_FINDING || event->anomaly;
    int r;

    (void)unix_ns;
    start(pipeline, now_ns);
    if (!special && hf_filter_drops(&pipeline->filter, event)) {
        pipeline->stats.offered++;
        return count_filtered(pipeline, HF_FILTER_DROPPED);
    }
    copy_event(&pipeline->event, event);
    if (pipeline->redactor.n_rules > 0)
        hf_redact_attributes(&pipeline->redactor, &pipeline->event);
    if (special) {
        r = pass(pipeline, &outlet);
        pipeline->stats.passed += r >= 0;
        r = r < 0 ? r : (int)HF_OFFER_STORED;
    } else {
        r = offer_ordinary(pipeline, now_ns, &outlet);
    }
    if (r < 0)
        return r;
    pipeline->stats.offered++;
    if (pipeline->open > 0 && tell_watches(pipeline, &outlet) < 0)
        pipeline->retry_ns = now_ns + HF_NS_PER_S;
    return r;
}

/* ---- time passes ------------------------------------------------------------------------------------------------------ */

static void look_for_one(struct hf_pipeline *pipeline, struct hf_anomaly_rule_state *state, uint64_t now_ns,
                         uint64_t unix_ns)
{
    bool was_open = hf_anomaly_has_pending(state);

    if (hf_anomaly_missing(state, now_ns, unix_ns)) {
        pipeline->open += !was_open;
        pipeline->stats.anomalies++;
    }
    pipeline->missing_at_ns = HF_MIN(pipeline->missing_at_ns, hf_anomaly_missing_at_ns(state));
}

static void look_for_missing(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns)
{
    pipeline->missing_at_ns = HF_NEVER;
    for (size_t i = 0; i < pipeline->spec->n_anomalies; i++)
        look_for_one(pipeline, &pipeline->unseen[i], now_ns, unix_ns);
    for (size_t i = 0; i < pipeline->series.n; i++)
        for (size_t k = 0; k < pipeline->series.all[i]->n_rule_states; k++)
            look_for_one(pipeline, &pipeline->series.all[i]->rule_states[k], now_ns, unix_ns);
}

int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns, hf_pipeline_emit *emit, void *arg)
{
    const struct outlet outlet = {emit, arg};

    start(pipeline, now_ns);
    if (now_ns >= pipeline->missing_at_ns)
        look_for_missing(pipeline, now_ns, unix_ns);
    if (pipeline->turn.stage == STAGE_NONE && now_ns - pipeline->began_ns >= pipeline->period_ns)
        begin_turn(pipeline, now_ns, unix_ns);
    return tell_all(pipeline, now_ns, &outlet);
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
    const struct outlet outlet = {emit, arg};

    start(pipeline, now_ns);
    int r = tell_all(pipeline, now_ns, &outlet); /* a period that was going out already */
    if (r < 0)
        return r;
    if (!pipeline->flushing)
        begin_turn(pipeline, now_ns, unix_ns);
    pipeline->flushing = true;
    r = tell_all(pipeline, now_ns, &outlet);
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
