#include "telemetry/sink/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"
#include "spool/look.h"
#include "telemetry/sink/outlet_parts.h"

enum { MIN_LANE_BYTES = 3 * HF_SPOOL_MIN_SEGMENT_BYTES, URGENT_SHARE = 8, MAX_PUMPS = 64, ENOUGH_RECENT = 8192 };

#define INLINE_BELOW_NS (300 * HF_NS_PER_US)
#define KEEP_CONNECTIONS_NS (15 * HF_NS_PER_S)
#define ROOM_LOOK_NS (100 * HF_NS_PER_MS)
#define DROPS_WAIT_NS (10 * HF_NS_PER_S)
#define REQUEST_NS (30 * HF_NS_PER_S)
#define MAX_BREAKER_NS (300 * HF_NS_PER_S)

static const char *const lane_names[HF_LANES] = {[HF_LANE_URGENT] = "urgent", [HF_LANE_BULK] = "bulk"};

void hf_outlet_trouble(struct hf_outlet *outlet, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(outlet->trouble, sizeof(outlet->trouble), format, args);
    va_end(args);
    for (char *c = outlet->trouble; *c != '\0'; c++) /* a sink may say anything; it ends up in a status and in logs */
        if (*c < ' ' || *c > '~')
            *c = '?';
}

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

static struct hf_metric *counter_of(struct hf_outlet *outlet, const char *name, const char *help)
{
    return hf_metric_with(hf_metric_family(outlet->world.metrics, HF_METRIC_COUNTER, name, help, HF_LABELS("sink")),
                          HF_LABELS(outlet->name));
}

static void register_counters(struct hf_outlet *outlet)
{
    struct hf_metrics *metrics = outlet->world.metrics;
    struct outlet_metrics *all = &outlet->metrics;

    all->events = counter_of(outlet, "holdfast_telemetry_delivered_events_total", "Events that a sink has taken.");
    all->bytes = counter_of(outlet, "holdfast_telemetry_delivered_bytes_total",
                            "Bytes of the events that a sink has taken, before compression.");
    all->batches = counter_of(outlet, "holdfast_telemetry_batches_total", "Batches that a sink has taken.");
    all->deferred = counter_of(outlet, "holdfast_telemetry_deferred_batches_total",
                               "Series of attempts that ended without success; the batch is kept.");
    all->rejected = counter_of(outlet, "holdfast_telemetry_rejected_events_total",
                               "Events that a sink took with a batch and said it did not keep.");
    all->attempts = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_telemetry_attempts_total",
                                     "Requests to a sink, by how they ended.", HF_LABELS("sink", "reason"));
    all->dead =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_telemetry_dead_letter_events_total",
                         "Events that a sink will never take, put aside, by reason.", HF_LABELS("sink", "reason"));
    all->dropped =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_telemetry_dropped_events_total",
                         "Events dropped to make room for newer ones.", HF_LABELS("sink", "source", "severity"));
}

static void register_gauges(struct hf_outlet *outlet)
{
    static const struct {
        const char *name, *help;
    } of_lane[] = {{"holdfast_telemetry_queue_bytes", "Bytes of the events on disk that are not delivered yet, about."},
                   {"holdfast_telemetry_disk_bytes", "Disk space that the queue takes, prepared space among it."},
                   {"holdfast_telemetry_queue_events", "Events on disk that are not delivered yet."}},
      of_sink[] = {{"holdfast_telemetry_queue_oldest_timestamp_seconds",
                    "When the oldest event that waits was taken in; 0: nothing waits."},
                   {"holdfast_telemetry_breaker_state", "0 closed, 1 open, 2 half open."},
                   {"holdfast_telemetry_concurrency", "Requests that may be under way at once."}};
    struct outlet_metrics *all = &outlet->metrics;

    for (size_t i = 0; i < HF_LEN(of_lane); i++)
        all->of_lane[i] = hf_metric_family(outlet->world.metrics, HF_METRIC_GAUGE, of_lane[i].name, of_lane[i].help,
                                           HF_LABELS("sink", "lane"));
    for (size_t i = 0; i < HF_LEN(of_sink); i++)
        all->of_sink[i] = hf_metric_family(outlet->world.metrics, HF_METRIC_GAUGE, of_sink[i].name, of_sink[i].help,
                                           HF_LABELS("sink"));
}

static void register_metrics(struct hf_outlet *outlet)
{
    static const double sync_bounds[] = {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};
    struct outlet_metrics *all = &outlet->metrics;
    struct hf_metric_family *sync = hf_metric_histogram_family(
        outlet->world.metrics, "holdfast_telemetry_sync_seconds", "Time that writing and syncing to the spool takes.",
        HF_LABELS("sink", "lane"), sync_bounds, HF_LEN(sync_bounds));

    register_counters(outlet);
    register_gauges(outlet);
    for (size_t i = 0; i < HF_LANES; i++) {
        const char *const *labels = HF_LABELS(outlet->name, lane_names[i]);
        all->lanes[i].queue_bytes = hf_metric_with(all->of_lane[0], labels);
        all->lanes[i].disk_bytes = hf_metric_with(all->of_lane[1], labels);
        all->lanes[i].queue_records = hf_metric_with(all->of_lane[2], labels);
        all->lanes[i].sync = hf_metric_with(sync, labels);
    }
    all->oldest = hf_metric_with(all->of_sink[0], HF_LABELS(outlet->name));
    all->breaker = hf_metric_with(all->of_sink[1], HF_LABELS(outlet->name));
    all->at_once = hf_metric_with(all->of_sink[2], HF_LABELS(outlet->name));
}

static void forget_metrics(struct hf_outlet *outlet)
{
    for (size_t i = 0; i < HF_LEN(outlet->metrics.of_sink); i++)
        hf_metric_forget(outlet->metrics.of_sink[i], HF_LABELS(outlet->name));
    for (size_t i = 0; i < HF_LEN(outlet->metrics.of_lane); i++)
        for (size_t lane = 0; lane < HF_LANES; lane++)
            hf_metric_forget(outlet->metrics.of_lane[i], HF_LABELS(outlet->name, lane_names[lane]));
}

static uint64_t oldest_of(const struct lane *lane)
{
    const struct hf_batches *batches = &lane->batches;

    for (size_t i = 0; i < batches->n; i++)
        if (batches->items[i]->phase != HF_BATCH_DONE && batches->items[i]->unix_ns != 0)
            return batches->items[i]->unix_ns;
    return hf_spool_state(lane->spool).queued > 0 ? lane->oldest_unix_ns : 0;
}

static uint64_t oldest_unix_ns(const struct hf_outlet *outlet)
{
    uint64_t oldest = HF_NEVER;

    for (size_t i = 0; i < HF_LANES; i++) {
        uint64_t of_lane = oldest_of(&outlet->lanes[i]);
        oldest = of_lane > 0 ? HF_MIN(oldest, of_lane) : oldest;
    }
    return oldest == HF_NEVER ? 0 : oldest;
}

static void show(struct hf_outlet *outlet)
{
    struct outlet_metrics *all = &outlet->metrics;

    if (outlet->world.metrics == NULL)
        return;
    for (size_t i = 0; i < HF_LANES; i++) {
        struct hf_spool_state state = hf_spool_state(outlet->lanes[i].spool);
        hf_metric_set(all->lanes[i].queue_bytes, (double)state.queued_bytes);
        hf_metric_set(all->lanes[i].disk_bytes, (double)state.store.bytes);
        hf_metric_set(all->lanes[i].queue_records, (double)state.queued);
    }
    hf_metric_set(all->oldest, (double)oldest_unix_ns(outlet) / (double)HF_NS_PER_S);
    hf_metric_set(all->breaker, (double)outlet->breaker.state);
    hf_metric_set(all->at_once, (double)hf_aimd_concurrency(&outlet->pace));
}

/* ---- what was dropped to make room ------------------------------------------------------------------------------- */

static void count_drop(struct drops *drops, const struct hf_spool_dropped *dropped)
{
    size_t i = 0;

    while (i < drops->n && drops->tags[i].tag != dropped->tag)
        i++;
    if (i == HF_OUTLET_TAGS)
        i--;
    if (i == drops->n)
        drops->tags[drops->n++] = (struct hf_spool_dropped){.tag = dropped->tag};
    drops->tags[i].records += dropped->records;
}

static int tell_drop(struct hf_outlet *outlet, const struct hf_spool_dropped *dropped, struct hf_receipt *receipt)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    enum hf_source_class class = (enum hf_source_class)(dropped->tag >> 16);
    enum hf_severity severity = (enum hf_severity)(dropped->tag & 0xffff);
    uint64_t unix_ns = hf_unix_ns(outlet->world.clock);
    char records[24], id[64];

    (void)snprintf(records, sizeof(records), "%llu", (unsigned long long)dropped->records);
    (void)snprintf(id, sizeof(id), "dropped-%08x-%016llx%04x", (unsigned)dropped->tag, (unsigned long long)unix_ns,
                   (unsigned)(outlet->world.rand->u64(outlet->world.rand->ctx) & 0xffff));
    struct hf_event event = {.kind = HF_EVENT_FINDING,
                             .source_class = HF_SOURCE_AGENT,
                             .severity = HF_SEVERITY_WARNING,
                             .unix_ns = unix_ns,
                             .id = hf_view_of(id),
                             .source = HF_VIEW("agent"),
                             .name = HF_VIEW("holdfast_telemetry_dropped_events"),
                             .body = HF_VIEW("events were dropped to make room for newer ones"),
                             .attributes = {{HF_VIEW("records"), hf_view_of(records)},
                                            {HF_VIEW("source"), hf_view_of(hf_source_class_name(class))},
                                            {HF_VIEW("severity"), hf_view_of(hf_severity_name(severity))},
                                            {HF_VIEW("sink"), hf_view_of(outlet->name)}},
                             .n_attributes = 4};
    int r = hf_event_format(&event, outlet->node, &line);
    if (r < 0)
        return r;
    return hf_outlet_append(outlet, HF_LANE_URGENT, hf_event_tag(HF_SOURCE_AGENT, HF_SEVERITY_WARNING),
                            hf_buf_view(&line), receipt);
}

bool hf_outlet_owes_drops(const struct hf_outlet *outlet)
{
    return outlet->drops.n > 0;
}

void hf_outlet_report_drops(struct hf_outlet *outlet, struct hf_receipt *receipt)
{
    while (outlet->drops.n > 0) {
        if (tell_drop(outlet, &outlet->drops.tags[outlet->drops.n - 1], receipt) < 0) {
            outlet->drops_due_ns = hf_mono_ns(outlet->world.clock) + DROPS_WAIT_NS;
            return;
        }
        outlet->drops.n--;
    }
    outlet->drops_due_ns = HF_NEVER;
}

static void on_dropped(void *arg, const struct hf_spool_dropped *dropped)
{
    struct lane *lane = arg;
    struct hf_outlet *outlet = lane->outlet;

    for (; dropped->records > 0; dropped++) {
        count_drop(&outlet->drops, dropped);
        hf_metric_add(
            hf_metric_with(outlet->metrics.dropped,
                           HF_LABELS(outlet->name, hf_source_class_name((enum hf_source_class)(dropped->tag >> 16)),
                                     hf_severity_name((enum hf_severity)(dropped->tag & 0xffff)))),
            dropped->records);
    }
    if (outlet->drops_due_ns == HF_NEVER)
        outlet->drops_due_ns = hf_mono_ns(outlet->world.clock) + DROPS_WAIT_NS;
    hf_outlet_pump(outlet);
}

/* ---- taking in --------------------------------------------------------------------------------------------------- */

static void on_readable(void *arg)
{
    struct lane *lane = arg;

    lane->refused_before = hf_spool_state(lane->spool).refused_full; /* it went down: there is room */
    hf_metric_observe(lane->outlet->metrics.lanes[lane->which].sync,
                      (double)hf_spool_state(lane->spool).last_write_ns / 1e9);
    hf_outlet_pump(lane->outlet);
}

static void on_durable(void *arg, int r, uint64_t sequence)
{
    (void)sequence;
    hf_receipt_release(arg, r);
}

uint64_t hf_outlet_wait_ns(const struct lane *lane)
{
    uint64_t timeout_ns = lane->outlet->spec->batch_timeout_ns;

    return lane->which == HF_LANE_URGENT ? HF_MIN(timeout_ns, HF_OUTLET_URGENT_WAIT_NS) : timeout_ns;
}

/* The line's share of a batch, when it waits, and since when. */
static void note_append(struct lane *lane, size_t n)
{
    struct hf_outlet *outlet = lane->outlet;

    if (hf_spool_state(lane->spool).queued == 0 && lane->fresh_bytes == 0)
        lane->oldest_unix_ns = hf_unix_ns(outlet->world.clock);
    lane->fresh_bytes += n + 1;
    if (lane->due_ns == HF_NEVER)
        lane->due_ns = hf_mono_ns(outlet->world.clock) + hf_outlet_wait_ns(lane);
}

bool hf_outlet_has_room(const struct hf_outlet *outlet, enum hf_lane lane, size_t n)
{
    struct hf_spool_state state = hf_spool_state(outlet->lanes[lane].spool);

    return state.refused_full == outlet->lanes[lane].refused_before &&
           state.pending_records < HF_SPOOL_PENDING_RECORDS && state.pending_bytes + n <= HF_SPOOL_PENDING_BYTES;
}

int hf_outlet_append(struct hf_outlet *outlet, enum hf_lane lane, uint32_t tag, struct hf_view line,
                     struct hf_receipt *receipt)
{
    struct lane *to = &outlet->lanes[lane];

    if (line.n > HF_EVENT_MAX_TEXT)
        return -E2BIG;
    if (!hf_outlet_has_room(outlet, lane, line.n)) {
        outlet->want_room = true;
        return -EAGAIN;
    }
    int r = hf_spool_append(to->spool, tag, line, receipt != NULL ? on_durable : NULL, receipt);
    if (r < 0) {
        outlet->want_room = outlet->want_room || r == -EAGAIN;
        return r;
    }
    hf_receipt_hold(receipt); /* `done` never comes from within the call */
    note_append(to, line.n);
    return 0;
}

/* ---- turning ----------------------------------------------------------------------------------------------------- */

static void settle(struct lane *lane)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);
    uint64_t delivered = hf_batches_settle(&lane->batches, state.delivered, state.store.delivered);

    if (state.store.delivered > lane->durable_before) { /* segments may have gone */
        lane->durable_before = state.store.delivered;
        lane->refused_before = state.refused_full;
    }

    if (delivered > state.delivered)
        hf_spool_deliver(lane->spool, delivered);
}

static bool is_idle(const struct hf_outlet *outlet)
{
    for (size_t i = 0; i < HF_LANES; i++)
        if (hf_spool_state(outlet->lanes[i].spool).queued > 0)
            return false;
    return hf_list_empty(&outlet->sendings);
}

/* Buffers go at once, connections after a while: batches that come one after the other use them again. */
static void rest(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns)
{
    if (!is_idle(outlet)) {
        outlet->idle_since_ns = 0;
        outlet->rested = false;
        return;
    }
    hf_outlet_load_rest(outlet);
    if (outlet->rested)
        return;
    if (outlet->idle_since_ns == 0)
        outlet->idle_since_ns = now_ns;
    uint64_t until_ns = outlet->idle_since_ns + HF_MAX(3 * outlet->spec->batch_timeout_ns, KEEP_CONNECTIONS_NS);
    if (now_ns < until_ns) {
        *wait_until_ns = HF_MIN(*wait_until_ns, until_ns);
        return;
    }
    outlet->rested = true;
    hf_outlet_creds_rest(outlet->creds);
    for (size_t i = 0; i < HF_LANES; i++)
        hf_spool_rest(outlet->lanes[i].spool);
}

static uint64_t turn(struct hf_outlet *outlet)
{
    uint64_t now_ns = hf_mono_ns(outlet->world.clock), wait_until_ns = HF_NEVER;

    if (now_ns >= outlet->drops_due_ns)
        hf_outlet_report_drops(outlet, NULL);
    wait_until_ns = HF_MIN(wait_until_ns, outlet->drops_due_ns);
    hf_outlet_send_ready(outlet, now_ns, &wait_until_ns);
    for (size_t i = 0; i < HF_LANES; i++)
        settle(&outlet->lanes[i]);
    hf_outlet_load_next(outlet, now_ns, &wait_until_ns);
    rest(outlet, now_ns, &wait_until_ns);
    if (outlet->want_room) /* the spool does not say when a segment has gone */
        wait_until_ns = HF_MIN(wait_until_ns, now_ns + ROOM_LOOK_NS);
    return wait_until_ns;
}

void hf_outlet_pump(struct hf_outlet *outlet)
{
    const struct hf_sched_ops *sched = outlet->world.sched;
    uint64_t wait_until_ns = HF_NEVER;

    if (outlet->closing)
        return;
    outlet->again = true;
    if (outlet->pumping)
        return;
    outlet->pumping = true;
    for (unsigned i = 0; outlet->again && i < MAX_PUMPS && !outlet->closing; i++) {
        outlet->again = false;
        wait_until_ns = turn(outlet);
    }
    outlet->pumping = false;
    if (outlet->again) /* the rest in the loop's next turn */
        wait_until_ns = 0;
    uint64_t now_ns = hf_mono_ns(outlet->world.clock);
    if (wait_until_ns == HF_NEVER)
        sched->timer_disarm(sched->ctx, outlet->tick);
    else
        sched->timer_arm(sched->ctx, outlet->tick, wait_until_ns > now_ns ? wait_until_ns - now_ns : 0);
    show(outlet);
    if (outlet->want_room && hf_outlet_has_room(outlet, HF_LANE_URGENT, HF_EVENT_MAX_TEXT) &&
        hf_outlet_has_room(outlet, HF_LANE_BULK, HF_EVENT_MAX_TEXT)) {
        outlet->want_room = false;
        if (outlet->room != NULL)
            outlet->room(outlet->arg);
    }
}

static void on_tick(void *arg)
{
    hf_outlet_pump(arg);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int open_lane(struct hf_outlet *outlet, enum hf_lane which, uint64_t max_bytes, struct hf_err *err)
{
    struct lane *lane = &outlet->lanes[which];
    struct hf_borders borders;
    char dir[HF_OUTLET_PATH], path[HF_OUTLET_PATH + 16];

    (void)snprintf(dir, sizeof(dir), "%s/%s", outlet->dir, lane_names[which]);
    (void)snprintf(path, sizeof(path), "%s/borders", dir);
    *lane = (struct lane){.outlet = outlet, .which = which, .file = {.fd = -1}, .due_ns = HF_NEVER};
    int r = hf_dir_make(outlet->world.fs, dir, 0700, err);
    if (r == 0)
        r = hf_border_file_open(outlet->world.fs, path, &lane->file, &borders, err);
    if (r < 0)
        return r;
    struct hf_spool_params params = {.store = {.fs = outlet->world.fs,
                                               .rng = outlet->world.rand,
                                               .dir = dir,
                                               .max_bytes = HF_MAX(max_bytes, (uint64_t)MIN_LANE_BYTES),
                                               .when_full = outlet->spec->when_full == HF_WHEN_FULL_DROP_OLDEST
                                                                ? HF_SPOOL_DROP_OLDEST
                                                                : HF_SPOOL_BLOCK,
                                               .used = borders.n > 0 ? borders.items[borders.n - 1].last : 0},
                                     .clock = outlet->world.clock,
                                     .sched = outlet->world.sched,
                                     .inline_below_ns = INLINE_BELOW_NS,
                                     .readable = on_readable,
                                     .dropped = on_dropped,
                                     .arg = lane};
    r = hf_spool_new(&params, &lane->spool, err);
    if (r < 0)
        return r;
    struct hf_spool_state state = hf_spool_state(lane->spool);
    lane->backlog_until = state.delivered + state.queued;
    /* Borders of another stream are about other records. */
    for (size_t i = 0; i < borders.n && strcmp(borders.stream, hf_spool_stream(lane->spool)) == 0; i++) {
        const struct hf_border *border = &borders.items[i];
        if (border->last <= state.store.delivered)
            continue;
        struct hf_batch *batch = hf_batches_add(&lane->batches, border->first, border->last,
                                                border->done ? HF_BATCH_DONE : HF_BATCH_WAITING);
        if (batch == NULL)
            return hf_err_set(err, ENOMEM, "open '%s'", dir);
        batch->saved = true;
    }
    return 0;
}

/* The sink's address, as far as a part's path goes behind it. */
static char *url_of(const struct hf_outlet_params *params)
{
    const char *url = params->sink->url != NULL ? params->sink->url : params->cloud_endpoint;
    struct hf_view base = url != NULL ? hf_format_base(params->sink->format, url) : HF_VIEW("");

    return base.n > 0 ? hf_view_dup(base) : NULL;
}

static void take_rules(struct hf_outlet *outlet)
{
    const struct hf_telemetry *spec = outlet->spec;
    uint64_t max_bytes = spec->batch_max_bytes > 0 ? spec->batch_max_bytes : HF_FORMAT_MAX_BODY;

    outlet->format = (struct hf_format){
        .kind = outlet->sink->format,
        .otlp_json = outlet->sink->otlp_json,
        .node = outlet->node,
        .max_bytes = (size_t)HF_MIN(max_bytes, (uint64_t)HF_FORMAT_MAX_BODY),
        .encoding = outlet->sink->format == HF_SINK_SEED    ? HF_SQUEEZE_NONE
                    : spec->compression == HF_COMPRESS_GZIP ? HF_SQUEEZE_GZIP
                    : spec->compression == HF_COMPRESS_ZSTD ? HF_SQUEEZE_ZSTD
                                                            : HF_SQUEEZE_NONE,
    };
    outlet->rules = (struct hf_retry_rules){
        .max_attempts = HF_MAX(spec->max_attempts, (uint64_t)1),
        .base_ns = spec->retry_base_ns > 0 ? spec->retry_base_ns : 2 * HF_NS_PER_S,
        .max_duration_ns = spec->max_duration_ns > 0 ? spec->max_duration_ns : 300 * HF_NS_PER_S,
        .linear = outlet->sink->format == HF_SINK_SEED,
    };
    hf_breaker_init(&outlet->breaker, outlet->rules.base_ns, HF_MIN(outlet->rules.max_duration_ns, MAX_BREAKER_NS));
    hf_aimd_init(&outlet->pace, outlet->sink->bandwidth_limit);
}

static int open_all(struct hf_outlet *outlet, const struct hf_outlet_params *params, struct hf_err *err)
{
    uint64_t urgent = HF_MAX(params->max_bytes / URGENT_SHARE, (uint64_t)MIN_LANE_BYTES);
    uint64_t bulk = params->max_bytes > urgent ? params->max_bytes - urgent : 0;

    outlet->name = strdup(hf_outlet_name(params->sink));
    outlet->node = strdup(params->world->node);
    outlet->url = url_of(params);
    outlet->dir = outlet->name != NULL ? hf_asprintf("%s/%s", params->world->dir, outlet->name) : NULL;
    outlet->tick = params->world->sched->timer_new(params->world->sched->ctx, on_tick, outlet);
    if (outlet->dir == NULL || outlet->node == NULL || outlet->tick == NULL)
        return hf_err_set(err, ENOMEM, "no memory");
    if (outlet->url == NULL || strlen(outlet->dir) + 16 > HF_OUTLET_PATH || strlen(outlet->url) + 32 > HF_OUTLET_URL)
        return hf_err_set(err, EINVAL, "it has no address, or one that is too long");
    outlet->timeout_ns = params->timeout_ns > 0 ? params->timeout_ns : REQUEST_NS;
    take_rules(outlet);
    register_metrics(outlet);
    outlet->http = params->http;
    outlet->creds = hf_outlet_creds_new(params, outlet->url, err);
    if (outlet->creds == NULL)
        return -EINVAL;
    int r = open_lane(outlet, HF_LANE_URGENT, urgent, err);
    return r < 0 ? r : open_lane(outlet, HF_LANE_BULK, bulk, err);
}

int hf_outlet_new(const struct hf_outlet_params *params, struct hf_outlet **ret_outlet, struct hf_err *err)
{
    _cleanup_(hf_outlet_freep) struct hf_outlet *outlet = calloc(1, sizeof(*outlet));

    if (outlet == NULL)
        return hf_err_set(err, ENOMEM, "no memory");
    outlet->world = *params->world;
    outlet->spec = params->spec;
    outlet->sink = params->sink;
    outlet->room = params->room;
    outlet->arg = params->arg;
    outlet->drops_due_ns = HF_NEVER;
    hf_list_init(&outlet->sendings);
    for (size_t i = 0; i < HF_LANES; i++)
        outlet->lanes[i].file.fd = -1;
    outlet->load.lines = (struct hf_buf)HF_BUF_INIT(HF_OUTLET_LINES_MAX);
    int r = open_all(outlet, params, err);
    if (r < 0)
        return hf_err_wrap(err, r, "sink '%s'", hf_outlet_name(params->sink));
    outlet->world.sched->timer_arm(outlet->world.sched->ctx, outlet->tick, 0);
    *ret_outlet = hf_steal(outlet);
    return 0;
}

/* A worker has parts of it: what it does ends first. */
void hf_outlet_free_when_quiet(struct hf_outlet *outlet)
{
    if (outlet->load.state == LOAD_WORKING || outlet->spools_closing > 0)
        return;
    void (*gone)(void *) = outlet->gone;
    void *arg = outlet->gone_arg;
    hf_outlet_load_done(outlet);
    for (size_t i = 0; i < HF_LANES; i++) {
        hf_border_file_close(&outlet->lanes[i].file);
        hf_batches_done(&outlet->lanes[i].batches);
    }
    free(outlet->name);
    free(outlet->node);
    free(outlet->url);
    free(outlet->dir);
    free(outlet);
    if (gone != NULL)
        gone(arg);
}

static void spool_gone(void *arg)
{
    struct hf_outlet *outlet = arg;

    outlet->spools_closing--;
    hf_outlet_free_when_quiet(outlet);
}

void hf_outlet_free(struct hf_outlet *outlet)
{
    if (outlet != NULL)
        hf_outlet_end(outlet, NULL, NULL);
}

void hf_outlet_end(struct hf_outlet *outlet, void (*gone)(void *arg), void *arg)
{
    outlet->gone = gone;
    outlet->gone_arg = arg;
    outlet->closing = true;
    hf_outlet_sendings_done(outlet);
    outlet->spools_closing = 1; /* ours: the last step is taken below */
    for (size_t i = 0; i < HF_LANES; i++) {
        struct hf_spool *spool = hf_steal(outlet->lanes[i].spool);
        outlet->spools_closing += spool != NULL;
        if (spool != NULL)
            hf_spool_end(spool, spool_gone, outlet);
    }
    if (outlet->load.state == LOAD_READING) /* its end is not told any more */
        outlet->load.state = LOAD_IDLE;
    if (outlet->tick != NULL)
        outlet->world.sched->timer_free(outlet->world.sched->ctx, outlet->tick);
    if (outlet->name != NULL)
        forget_metrics(outlet);
    hf_outlet_creds_free(outlet->creds);
    spool_gone(outlet);
}

/* ---- what is known from before ----------------------------------------------------------------------------------- */

int hf_outlet_recent(struct hf_outlet *outlet, size_t max_records, void (*each)(void *arg, struct hf_view line),
                     void *arg)
{
    int r = 0;

    for (size_t i = 0; i < HF_LANES; i++) {
        char dir[HF_OUTLET_PATH];
        (void)snprintf(dir, sizeof(dir), "%s/%s", outlet->dir, lane_names[i]);
        int of_lane = hf_spool_recent(outlet->world.fs, dir, max_records, ENOUGH_RECENT, each, arg);
        r = of_lane < 0 ? of_lane : r;
    }
    return r;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

void hf_outlet_tell_change(const struct hf_outlet *outlet)
{
    if (outlet->world.changed != NULL && !outlet->closing)
        outlet->world.changed(outlet->world.changed_arg);
}

const char *hf_outlet_origin(const struct hf_outlet *outlet, char *text, size_t n)
{
    const char *host = outlet->url != NULL ? strstr(outlet->url, "://") : NULL;
    size_t length = host != NULL ? strcspn(host + 3, "/?#") : 0;
    const char *user = host != NULL ? memchr(host + 3, '@', length) : NULL;

    if (host == NULL)
        (void)snprintf(text, n, "%s", "");
    else if (user == NULL)
        (void)snprintf(text, n, "%.*s", (int)(host + 3 + length - outlet->url), outlet->url);
    else
        (void)snprintf(text, n, "%.*s%.*s", (int)(host + 3 - outlet->url), outlet->url,
                       (int)(host + 3 + length - user - 1), user + 1);
    return text;
}

static uint64_t last_delivery_unix_ns(const struct hf_outlet *outlet)
{
    uint64_t ago = hf_mono_ns(outlet->world.clock) - outlet->last_success_ns, now = hf_unix_ns(outlet->world.clock);

    return outlet->last_success_ns == 0 ? 0 : now - HF_MIN(ago, now);
}

struct hf_outlet_state hf_outlet_state(const struct hf_outlet *outlet)
{
    struct hf_outlet_state state = {.oldest_unix_ns = oldest_unix_ns(outlet),
                                    .last_delivery_unix_ns = last_delivery_unix_ns(outlet),
                                    .delivered = outlet->delivered,
                                    .deferred = outlet->deferred,
                                    .dead_lettered = outlet->dead_lettered,
                                    .attempts = outlet->attempts,
                                    .failures = outlet->failures,
                                    .breaker = outlet->breaker.state,
                                    .concurrency = hf_aimd_concurrency(&outlet->pace)};

    for (size_t i = 0; i < HF_LANES; i++)
        state.lanes[i] = hf_spool_state(outlet->lanes[i].spool);
    (void)snprintf(state.trouble, sizeof(state.trouble), "%s", outlet->trouble);
    return state;
}
