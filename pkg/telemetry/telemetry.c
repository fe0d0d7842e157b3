/* SPDX-License-Identifier: Apache-2.0 */
/* The service that connects sources, pipeline and outlets. The rules are in those parts; this file keeps their order:
 * the service accepts an id once, a source learns of durability from its receipt, and a new policy
 * starts when everything accepted under the old one is on disk. */
#include "telemetry/telemetry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/syncpolicy.h"
#include "base/encoding/cut.h"
#include "base/format.h"
#include "telemetry/event/ids.h"
#include "telemetry/event/newest.h"
#include "telemetry/event/own_ids.h"
#include "telemetry/permit.h"
#include "telemetry/pipeline/boundary.h"
#include "telemetry/pipeline/pipeline.h"
#include "telemetry/sink/fanout.h"
#include "telemetry/sink/former.h"
#include "telemetry/source/ingest.h"
#include "telemetry/source/source_common.h"

enum { MAX_TROUBLES = 12, TROUBLE = 480 };

#define SOURCES_AGAIN_NS (10 * HF_NS_PER_S)
/* limit by which the time of a state may be ahead of this node's clock */
#define STATE_AHEAD_NS (300 * HF_NS_PER_S)

/* Results by which offers are counted: enum hf_offer, or a failure. */
enum { RESULT_FAILED = HF_OFFER_REFUSED_BOUNDARY + 1, RESULT_OVER_SHARE, RESULTS };

/* One policy's telemetry. The service decodes the policy again, because the lists of a decoded policy belong to it, and
 * the caller frees it when the next one comes. */
struct setting {
    struct hf_telemetry spec; /* borrows from `policy` */
    struct hf_syncpolicy *policy;
    json_t *owner, *labels;
    const struct hf_config *config; /* the node's configuration when the setting came */
};

/* Outlets that are closing, and the job that examines the folders of former sinks: the service opens outlets only when
 * all of them have ended. May outlive the service. */
struct leaving {
    struct hf_telemetry_service *service; /* NULL: freed */
    size_t n;
};

struct hf_telemetry_service {
    struct hf_telemetry_service_params params;
    struct hf_telemetry_env *env; /* &params.env */
    struct setting now, next;
    bool switching; /* `next` takes over as soon as nothing is pending; meanwhile offers get -EAGAIN */
    struct hf_pipeline *pipeline;
    struct leaving *leaving;
    bool over_share; /* the last offer was refused because its owner has taken its share */
    bool no_sink;    /* the node's configuration allows none of the policy's sinks: the service takes no events */
    bool closed;     /* while switching: the old outlets are closing */
    struct hf_fanout *fanout;
    /* since when the disk does not give back some files of former sinks to the job that examines them; 0: it does */
    uint64_t former_unreadable_ns;
    /* By row of HF_TELEMETRY_SOURCES. sources[]: NULL means off, or that it could not open; failed[]: reason,
     * -errno. */
    struct hf_source *sources[HF_SOURCE_ROWS];
    int failed[HF_SOURCE_ROWS];
    struct hf_source *http; /* one of the sources; NULL: off */
    struct hf_ids *ids;
    struct hf_own_ids own_ids;
    struct hf_newest *newest; /* for state-like payloads */
    struct hf_intake intake;
    struct hf_boundary_audit audit;
    struct hf_timer *tick;  /* for the pipeline's windows */
    struct hf_timer *soon;  /* for work that must not run inside another part's callback */
    struct hf_timer *again; /* for sources that could not open, and scrapes that were refused */
    bool room;              /* there is room again: call the sources' resume() */
    /* drops_stored: the last counts of dropped events are stored */
    bool stopping, drops_stored;
    void (*stopped)(void *arg);
    void *stopped_arg;
    char troubles[MAX_TROUBLES][TROUBLE];
    size_t n_troubles;
    struct hf_metric_family *taken_family;               /* by source class and result */
    struct hf_metric *taken[HF_SOURCE_CLASSES][RESULTS]; /* its series, created on first use */
};

static void arm(const struct hf_telemetry_service *service, struct hf_timer *timer, uint64_t delay_ns)
{
    hf_timer_arm(service->env->sched, timer, delay_ns);
}

static void report_trouble(struct hf_telemetry_service *service, const char *part, const struct hf_err *err)
{
    hf_log_err(service->env->log, HF_LOG_ERROR, "telemetry.part_failed", "part", part, err);
    if (service->n_troubles < MAX_TROUBLES)
        (void)snprintf(service->troubles[service->n_troubles++], TROUBLE, "%.60s: %s", part, HF_CUT(250, err->cause));
}

/* The cause of a trouble has passed: forgets the first trouble that begins with `head` and ends with `tail`. */
static void forget_trouble(struct hf_telemetry_service *service, const char *head, const char *tail)
{
    const struct hf_telemetry_env *env = service->env;

    if (env->changed != NULL)
        env->changed(env->changed_arg);
    for (size_t i = 0; i < service->n_troubles; i++) {
        const char *text = service->troubles[i];
        size_t n = strlen(text), tail_n = strlen(tail);
        if (strncmp(text, head, strlen(head)) != 0 || n < tail_n || strcmp(text + n - tail_n, tail) != 0)
            continue;
        service->n_troubles--;
        memmove(service->troubles[i], service->troubles[i + 1], (service->n_troubles - i) * TROUBLE);
        return;
    }
}

/* Reports a field of the policy that the node's configuration does not allow. */
static void report_refused(void *arg, const char *field, const struct hf_err *err)
{
    struct hf_telemetry_service *service = arg;
    const char *name = service->now.policy->meta.name;

    hf_log(service->env->log, HF_LOG_ERROR, "telemetry.refused", HF_S("kind", "SyncPolicy"), HF_S("name", name),
           HF_S("field", field), HF_S("error", err->cause));
    if (service->n_troubles < MAX_TROUBLES)
        (void)snprintf(service->troubles[service->n_troubles++], TROUBLE, "SyncPolicy %.64s: spec.telemetry.%.60s: %s",
                       name, field, HF_CUT(250, err->cause));
}

/* The field is allowed by now. */
static void forget_refused(void *arg, const struct hf_err *err)
{
    struct hf_telemetry_service *service = arg;
    char tail[TROUBLE];

    (void)snprintf(tail, sizeof(tail), ": %s", HF_CUT(250, err->cause));
    forget_trouble(service, "SyncPolicy ", tail);
}

/* ---- storing ----------------------------------------------------------------------------------------------------- */

struct emission {
    struct hf_telemetry_service *service;
    struct hf_receipt *receipt;
    bool emitted;
    bool had; /* all sinks had the first event already */
    /* route of the first event, the one that the source offered; the pipeline may emit others beside it */
    enum hf_route route;
};

/* Logs an audit event and stores it for every sink that accepts it, without waiting. */
static void store_audit(struct hf_telemetry_service *service, struct hf_event *audit)
{
    uint32_t sinks = 0;

    hf_log(service->env->log, HF_LOG_WARNING, "telemetry.boundary_refused",
           HF_D("refused", (int64_t)service->audit.refused));
    if (hf_boundary_route(audit, service->now.spec.sinks, service->now.spec.n_sinks, &sinks) == HF_ROUTE_SOME &&
        hf_fanout_store(service->fanout, audit, sinks, NULL) < 0)
        hf_log(service->env->log, HF_LOG_WARNING, "telemetry.audit_not_stored");
}

/* Stores an event for the sinks that may have it. If no sink may have it, an audit event without the data says so. */
static int emit(void *arg, const struct hf_event *event)
{
    struct emission *emission = arg;
    struct hf_telemetry_service *service = emission->service;
    const struct hf_clock_ops *clock = service->env->clock;
    struct hf_event stored = *event, audit;
    uint32_t sinks = 0;

    enum hf_route route = hf_boundary_route(event, service->now.spec.sinks, service->now.spec.n_sinks, &sinks);
    bool first = !emission->emitted;
    if (first)
        emission->route = route;
    emission->emitted = true;
    if (route == HF_ROUTE_SOME) {
        if (stored.severity == 0)
            stored.severity = HF_SEVERITY_INFO;
        int r = hf_fanout_store(service->fanout, &stored, sinks, emission->receipt);
        service->over_share = r == -EAGAIN && hf_fanout_over_share(service->fanout);
        emission->had = emission->had || (first && r == HF_FANOUT_DUPLICATE);
        return r < 0 ? r : 0;
    }
    if (route == HF_ROUTE_REFUSED &&
        hf_boundary_refused(&service->audit, event, hf_mono_ns(clock), hf_unix_ns(clock), &audit))
        store_audit(service, &audit);
    return 0;
}

/* ---- taking in --------------------------------------------------------------------------------------------------- */

/* Looks the series up once: a lookup formats the labels, too much work for every event. */
static void count(struct hf_telemetry_service *service, enum hf_source_class from, int result)
{
    static const char *const names[RESULTS] = {
        [HF_OFFER_STORED] = "stored",         [HF_OFFER_DUPLICATE] = "duplicate",      [HF_OFFER_FILTERED] = "filtered",
        [HF_OFFER_AGGREGATED] = "aggregated", [HF_OFFER_REFUSED_BOUNDARY] = "refused", [RESULT_FAILED] = "failed",
        [RESULT_OVER_SHARE] = "over_share"};
    struct hf_metric **taken = &service->taken[from][result];

    if (*taken == NULL)
        *taken = hf_metric_with(service->taken_family, HF_LABELS(hf_event_class_name(from), names[result]));
    hf_metric_add(*taken, 1);
}

/* The event was accepted before. The first copy may still be on its way to disk, so this receipt follows that one. */
static int take_again(struct hf_telemetry_service *service, const struct hf_event *event, struct hf_receipt *receipt)
{
    int r = hf_fanout_follow(service->fanout, event, receipt);

    if (r < 0)
        return -EAGAIN;
    count(service, event->source_class, HF_OFFER_DUPLICATE);
    return HF_OFFER_DUPLICATE;
}

static void tick_later(struct hf_telemetry_service *service)
{
    uint64_t now = hf_mono_ns(service->env->clock), until = hf_pipeline_wait_until_ns(service->pipeline);

    until = HF_MIN(until, hf_boundary_wait_until_ns(&service->audit));
    if (until != HF_NEVER)
        arm(service, service->tick, until - HF_MIN(until, now));
}

/* Time and sequence are the sender's word: a broken clock, or a line made up, must not freeze a state until that time
 * comes. The sequence of an agent is a time, too (sink/fanout.c). While this node's own clock is behind, such as in
 * 1970, the order of arrival counts. */
static struct hf_newest_version state_mark(const struct hf_telemetry_service *service, const struct hf_event *event)
{
    uint64_t latest_ns = hf_unix_ns(service->env->clock) + STATE_AHEAD_NS;

    return (struct hf_newest_version){.unix_ns = HF_MIN(event->unix_ns, latest_ns),
                                      .node = event->origin.n > 0 ? event->origin : hf_view_of(service->env->node),
                                      .sequence = HF_MIN(event->origin_sequence, latest_ns / 1000)};
}

/* A newer version of this state has passed. This receipt follows the newer one's. */
static int take_superseded(struct hf_telemetry_service *service, const struct hf_event *event,
                           struct hf_receipt *receipt)
{
    if (hf_ids_add(service->ids, hf_ids_of_event(service->ids, event)) < 0 ||
        hf_fanout_follow(service->fanout, event, receipt) < 0)
        return -EAGAIN;
    return HF_OFFER_FILTERED;
}

static int take(struct hf_telemetry_service *service, const struct hf_event *event, struct hf_receipt *receipt)
{
    struct hf_newest_version mark = state_mark(service, event);
    const struct hf_newest_key key = {.owner = hf_event_owner(event), .text = event->key};

    if (key.text.n > 0 && hf_newest_superseded(service->newest, &key, &mark))
        return take_superseded(service, event, receipt);

    struct emission emission = {.service = service, .receipt = receipt};
    const struct hf_clock_ops *clock = service->env->clock;
    int r = hf_pipeline_offer(service->pipeline, event, hf_mono_ns(clock), hf_unix_ns(clock), emit, &emission);

    if (r < 0)
        return r;
    if (r == HF_OFFER_STORED && emission.route == HF_ROUTE_REFUSED)
        return HF_OFFER_REFUSED_BOUNDARY;
    if (r == HF_OFFER_STORED && emission.route == HF_ROUTE_NONE)
        return HF_OFFER_FILTERED;
    if (event->id.n > 0 && (r == HF_OFFER_STORED || r == HF_OFFER_AGGREGATED) &&
        hf_ids_add(service->ids, hf_ids_of_event(service->ids, event)) < 0)
        hf_log(service->env->log, HF_LOG_WARNING, "telemetry.id_forgotten");
    if (key.text.n > 0 && r == HF_OFFER_STORED)
        hf_newest_note(service->newest, &key, &mark);
    tick_later(service);
    return r == HF_OFFER_STORED && emission.had ? HF_OFFER_DUPLICATE : r;
}

static int offer(void *ctx, const struct hf_event *event, struct hf_receipt *receipt)
{
    struct hf_telemetry_service *service = ctx;

    service->over_share = false;
    if (service->switching || service->stopping || service->pipeline == NULL || service->no_sink)
        return -EAGAIN;
    struct hf_event own;
    char id[HF_OWN_ID_TEXT];
    if (event->id.n > 0 && hf_event_owner(event) == HF_OWNER_AGENT) {
        own = *event;
        own.id = hf_own_ids_make(&service->own_ids, event->id, id);
        event = &own;
    }
    if (event->id.n > 0 && hf_ids_contains(service->ids, hf_ids_of_event(service->ids, event)))
        return take_again(service, event, receipt);
    int r = take(service, event, receipt);
    if (r >= 0)
        count(service, event->source_class, r);
    else if (r != -EAGAIN || service->over_share)
        count(service, event->source_class, r == -EAGAIN ? RESULT_OVER_SHARE : RESULT_FAILED);
    return r;
}

/* Replaces quotes and everything that is not plain ASCII, because the text goes into a JSON answer. */
static int blocked(void *ctx, char *text, size_t n)
{
    const struct hf_telemetry_service *service = ctx;
    const char *trouble, *name = hf_fanout_blocked(service->fanout, &trouble);

    if (name == NULL && service->over_share) {
        (void)snprintf(text, n, "this user's share of the queue is full: send it again later");
        return -EDQUOT;
    }
    if (name != NULL)
        (void)snprintf(text, n, "sink '%s' cannot be used: %s", name, trouble);
    else if (service->no_sink)
        (void)snprintf(text, n, "no sink of the policy can be used: %s",
                       service->n_troubles > 0 ? service->troubles[service->n_troubles - 1] : "see the log");
    else
        return 0;
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '"' || *c == '\\' ? '\'' : (unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f ? '?' : *c;
    return -ENODEV;
}

static void on_tick(void *arg)
{
    struct hf_telemetry_service *service = arg;
    struct emission emission = {.service = service};
    const struct hf_clock_ops *clock = service->env->clock;
    struct hf_event audit;

    if (service->pipeline == NULL || service->switching)
        return;
    while (hf_boundary_pending(&service->audit, hf_mono_ns(clock), hf_unix_ns(clock), &audit))
        store_audit(service, &audit);
    if (hf_pipeline_tick(service->pipeline, hf_mono_ns(clock), hf_unix_ns(clock), emit, &emission) == 0)
        tick_later(service); /* otherwise room() continues */
}

/* ---- what a setting is made of ----------------------------------------------------------------------------------- */

static void wake(void *arg)
{
    struct hf_telemetry_service *service = arg;

    arm(service, service->soon, 0);
}

static void room(void *arg)
{
    struct hf_telemetry_service *service = arg;

    service->room = true;
    wake(service);
}

/* An event is noted as the newest of its key when it is offered. If it is not on disk after all, an older version that
 * comes now is the newest one; the receiver drops it if it is not. */
static void lost(void *arg)
{
    struct hf_telemetry_service *service = arg;

    hf_newest_clear(service->newest);
}

#define ROW(class, number, create, name, field, on)                                                                    \
    static bool wants_##create(const struct hf_telemetry_sources *s)                                                   \
    {                                                                                                                  \
        return (on);                                                                                                   \
    }
HF_TELEMETRY_SOURCES(ROW)
#undef ROW

static const struct source_row {
    enum hf_source_class source_class;
    const char *field; /* field of spec.telemetry.sources */
    bool (*wanted)(const struct hf_telemetry_sources *s);
    hf_source_maker *create;
} source_rows[] = {
#define ROW(class, number, create, name, field, on)                                                                    \
    {HF_SOURCE_##class, field, wants_##create, hf_source_##create##_new},
    HF_TELEMETRY_SOURCES(ROW)
#undef ROW
};
_Static_assert(HF_LEN(source_rows) == HF_SOURCE_ROWS, "the service has a place for each source");

static void forget_source_trouble(struct hf_telemetry_service *service, size_t row)
{
    char head[64];

    (void)snprintf(head, sizeof(head), "%s: ", source_rows[row].field);
    forget_trouble(service, head, "");
}

static void open_source(struct hf_telemetry_service *service, size_t row)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_source *source = NULL;
    int r = source_rows[row].create(&service->now.spec.sources, service->env, &service->intake, &source, &err);

    if (r == service->failed[row] && r < 0)
        return; /* reported already */
    bool failed_before = service->failed[row] < 0;
    if (failed_before)
        forget_source_trouble(service, row);
    service->failed[row] = HF_MIN(r, 0);
    if (r < 0) {
        report_trouble(service, source_rows[row].field, &err);
        return;
    }
    if (failed_before)
        hf_log(service->env->log, HF_LOG_INFO, "telemetry.part_started", HF_S("part", source_rows[row].field));
    service->sources[row] = source;
    if (source_rows[row].source_class == HF_SOURCE_HTTP) {
        service->http = source;
        hf_source_http_set_ids(source, service->ids);
    }
}

static void close_source(struct hf_telemetry_service *service, size_t row)
{
    if (service->sources[row] != NULL)
        service->sources[row]->free(service->sources[row]);
    service->sources[row] = NULL;
    service->failed[row] = 0;
}

/* Opens the sources that are wanted and not open, and does so again later if one of them fails or a scrape is refused:
 * the cause may pass, such as a missing folder, a full disk, or an address that the node does not have yet. */
static void open_sources(struct hf_telemetry_service *service)
{
    bool again = service->now.spec.sources.n_scrapes < service->now.policy->telemetry.sources.n_scrapes;

    for (size_t i = 0; i < HF_LEN(source_rows); i++) {
        if (service->sources[i] == NULL && source_rows[i].wanted(&service->now.spec.sources))
            open_source(service, i);
        again = again || service->failed[i] < 0;
    }
    if (again)
        arm(service, service->again, SOURCES_AGAIN_NS);
}

static void close_sources(struct hf_telemetry_service *service)
{
    for (size_t i = 0; i < HF_LEN(source_rows); i++)
        close_source(service, i);
    service->http = NULL;
    if (service->again != NULL)
        hf_timer_disarm(service->env->sched, service->again);
}

static void outlet_gone(void *arg)
{
    struct leaving *leaving = arg;

    leaving->n--;
    if (leaving->service != NULL)
        wake(leaving->service);
    else if (leaving->n == 0)
        free(leaving);
}

static void close_rest(struct hf_telemetry_service *service)
{
    service->leaving->n += hf_fanout_outlets(service->fanout);
    hf_fanout_close(service->fanout, outlet_gone, service->leaving);
    hf_pipeline_free(hf_steal(service->pipeline));
    service->n_troubles = 0;
}

static void setting_done(struct setting *setting)
{
    hf_syncpolicy_free(setting->policy);
    json_decref(setting->owner);
    json_decref(setting->labels);
    *setting = (struct setting){0};
}

static struct hf_permit permit_of(struct hf_telemetry_service *service)
{
    return (struct hf_permit){.config = service->env->config,
                              .scope = service->now.spec.is_signed ? HF_CONFIG_SIGNED : HF_CONFIG_UNSIGNED,
                              .is_own_url = hf_source_is_own_url,
                              .refused = report_refused,
                              .granted = forget_refused,
                              .arg = service};
}

/* Takes out what the node's configuration does not allow. */
static void apply_bounds(struct hf_telemetry_service *service)
{
    struct setting *now = &service->now;
    const struct hf_permit permit = permit_of(service);
    size_t wanted = now->spec.n_sinks;

    service->env->scope = permit.scope;
    if (!now->spec.is_operators)
        hf_telemetry_permit(&now->spec, hf_json_at(now->owner, "spec.telemetry.sink") != NULL, &permit);
    service->no_sink = wanted > 0 && now->spec.n_sinks == 0;
}

static void on_again(void *arg)
{
    struct hf_telemetry_service *service = arg;
    const struct hf_permit permit = permit_of(service);

    if (hf_telemetry_permit_scrapes_again(&service->now.spec.sources, service->now.policy->telemetry.sources.n_scrapes,
                                          &permit) > 0)
        for (size_t i = 0; i < HF_LEN(source_rows); i++)
            if (source_rows[i].source_class == HF_SOURCE_SCRAPE)
                close_source(service, i); /* it opens with all targets */
    open_sources(service);
}

static void open_rest(struct hf_telemetry_service *service, uint64_t former_bytes)
{
    service->pipeline = hf_pipeline_new(&service->now.spec, service->now.labels);
    if (service->pipeline == NULL) {
        struct hf_err err = HF_ERR_INIT;
        (void)hf_err_set(&err, ENOMEM, "out of memory");
        report_trouble(service, "pipeline", &err);
        return;
    }
    hf_fanout_open(service->fanout, &service->now.spec, former_bytes);
    open_sources(service);
    on_tick(service); /* the time of an absence rule begins now, not with the first event */
}

static void note_unreadable(struct hf_telemetry_service *service, bool unreadable)
{
    if (!unreadable)
        service->former_unreadable_ns = 0;
    else if (service->former_unreadable_ns == 0)
        service->former_unreadable_ns = hf_mono_ns(service->env->clock);
}

/* The job that examined the folders of former sinks ended. */
static void former_done(void *arg, const struct hf_former_result *result)
{
    struct leaving *leaving = arg;
    struct hf_telemetry_service *service = leaving->service;

    if (service != NULL && !result->cancelled)
        note_unreadable(service, result->unreadable);
    if (service != NULL)
        hf_former_report(service->env, result);
    if (service != NULL && !service->switching && !service->stopping && !result->cancelled)
        open_rest(service, result->kept_bytes);
    outlet_gone(leaving);
}

static void load_own_ids(struct hf_telemetry_service *service)
{
    const struct hf_telemetry_env *env = service->env;
    struct hf_err err = HF_ERR_INIT;

    if (!service->own_ids.kept && hf_own_ids_load(env->fs, env->rand, env->dir, &service->own_ids, &err) < 0)
        hf_log_err(env->log, HF_LOG_WARNING, "telemetry.ids_key_not_kept", "dir", env->dir, &err);
}

static void open_all(struct hf_telemetry_service *service)
{
    bool patient = hf_spool_is_patient(service->former_unreadable_ns, service->env->clock);

    if (!service->now.spec.present)
        return;
    hf_log(service->env->log, HF_LOG_INFO, "telemetry.set", HF_D("sinks", service->now.spec.n_sinks));
    load_own_ids(service);
    apply_bounds(service);
    service->leaving->n++;
    if (hf_former_start(service->env, &service->now.spec, patient, former_done, service->leaving) == 0)
        return;
    service->leaving->n--;
    open_rest(service, 0);
}

/* ---- from one setting to the next -------------------------------------------------------------------------------- */

/* Flush windows and drop counters; log what is lost. */
static void flush(struct hf_telemetry_service *service)
{
    struct emission emission = {.service = service};
    const struct hf_clock_ops *clock = service->env->clock;

    if (service->pipeline == NULL)
        return;
    int r = hf_pipeline_flush(service->pipeline, hf_mono_ns(clock), hf_unix_ns(clock), emit, &emission);
    if (r < 0)
        hf_log(service->env->log, HF_LOG_WARNING, "telemetry.windows_lost", HF_D("errno", -r));
    hf_fanout_report_drops(service->fanout);
}

static void begin_switch(struct hf_telemetry_service *service)
{
    service->switching = true;
    close_sources(service);
    flush(service);
    wake(service);
}

static void finish_switch(struct hf_telemetry_service *service)
{
    if (!service->closed)
        close_rest(service);
    service->closed = true;
    if (service->leaving->n > 0)
        return; /* the last of them wakes the service */
    service->closed = false;
    setting_done(&service->now);
    service->now = service->next;
    service->next = (struct setting){0};
    service->switching = false;
    if (service->stopping)
        return;
    open_all(service);
}

static void on_soon(void *arg)
{
    struct hf_telemetry_service *service = arg;

    if (service->switching && hf_fanout_pending(service->fanout) == 0)
        finish_switch(service);
    if (service->stopping && !service->drops_stored && hf_fanout_pending(service->fanout) == 0) {
        service->drops_stored = true;
        hf_fanout_report_drops(service->fanout); /* dropped by the flush itself */
    }
    if (service->stopping && service->stopped != NULL && hf_fanout_pending(service->fanout) == 0) {
        void (*stopped)(void *) = service->stopped;
        service->stopped = NULL;
        stopped(service->stopped_arg);
        return;
    }
    if (!service->room || service->switching || service->stopping)
        return;
    service->room = false;
    on_tick(service);
    for (size_t i = 0; i < HF_LEN(service->sources); i++)
        if (service->sources[i] != NULL)
            service->sources[i]->resume(service->sources[i]);
}

static bool same(const struct setting *setting, const struct hf_telemetry *spec, const json_t *owner,
                 const json_t *labels, const struct hf_config *config)
{
    if (setting->spec.present != spec->present)
        return false;
    if (!spec->present)
        return true;
    if (setting->config != config || setting->spec.is_signed != spec->is_signed)
        return false;
    const json_t *a = hf_json_at(setting->owner, "spec.telemetry"), *b = hf_json_at(owner, "spec.telemetry");
    return json_equal(a, b) != 0 && (setting->labels == labels || json_equal(setting->labels, labels) != 0);
}

static int decode_again(json_t *owner, struct hf_syncpolicy **ret_policy)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));

    return issues != NULL ? hf_syncpolicy_decode(owner, ret_policy, issues) : -ENOMEM;
}

void hf_telemetry_service_set(struct hf_telemetry_service *service, const struct hf_telemetry *spec, json_t *owner,
                              const json_t *node_labels)
{
    static const struct hf_telemetry off;
    const struct hf_telemetry *wanted = spec == NULL ? &off : spec;

    if (service->stopping ||
        same(service->switching ? &service->next : &service->now, wanted, owner, node_labels, service->env->config))
        return;
    struct hf_syncpolicy *policy = NULL;
    if (wanted->present && decode_again(owner, &policy) < 0) {
        struct hf_err err = HF_ERR_INIT;
        (void)hf_err_set(&err, ENOMEM, "not enough memory to decode the policy");
        /* the old policy stays; the caller sets it again with the next interval */
        report_trouble(service, "policy", &err);
        return;
    }
    setting_done(&service->next);
    service->next = (struct setting){.spec = policy != NULL ? policy->telemetry : off,
                                     .policy = policy,
                                     .owner = json_incref(owner),
                                     .labels = node_labels != NULL ? json_deep_copy(node_labels) : NULL,
                                     .config = service->env->config};
    service->next.spec.is_signed = wanted->is_signed;
    service->next.spec.is_operators = wanted->is_operators;
    if (!service->switching)
        begin_switch(service);
}

void hf_telemetry_service_configure(struct hf_telemetry_service *service, const struct hf_config *config)
{
    const struct setting *latest = service->switching ? &service->next : &service->now;
    const struct hf_telemetry again = {
        .present = true, .is_signed = latest->spec.is_signed, .is_operators = latest->spec.is_operators};
    json_t *owner = latest->owner, *labels = latest->labels;

    service->env->config = config;
    if (!latest->spec.present)
        return;
    (void)json_incref(owner); /* the setting that holds them goes */
    (void)json_incref(labels);
    hf_telemetry_service_set(service, &again, owner, labels);
    json_decref(owner);
    json_decref(labels);
}

void hf_telemetry_service_link_changed(const struct hf_telemetry_service *service)
{
    hf_fanout_link_changed(service->fanout);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_telemetry_service *hf_telemetry_service_new(const struct hf_telemetry_service_params *params)
{
    struct hf_telemetry_service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return NULL;
    service->params = *params;
    service->env = &service->params.env;
    service->intake = (struct hf_intake){.ctx = service, .offer = offer, .blocked = blocked};
    service->ids = hf_ids_new(0, params->env.rand);
    service->newest = hf_newest_new(params->env.rand);
    service->tick = hf_timer_new(params->env.sched, on_tick, service);
    service->soon = hf_timer_new(params->env.sched, on_soon, service);
    service->again = hf_timer_new(params->env.sched, on_again, service);
    service->taken_family =
        hf_metric_family(params->env.metrics, HF_METRIC_COUNTER, "holdfast_telemetry_events_total",
                         "Events that sources offered, by result; over_share: refused, or to be read later.",
                         HF_LABELS("source", "result"));
    if (service->ids != NULL)
        service->fanout = hf_fanout_new(&(struct hf_fanout_params){.env = service->env,
                                                                   .device_key_ref = params->device_key_ref,
                                                                   .ids = service->ids,
                                                                   .room = room,
                                                                   .idle = wake,
                                                                   .lost = lost,
                                                                   .arg = service});
    service->leaving = calloc(1, sizeof(*service->leaving));
    if (service->leaving != NULL)
        service->leaving->service = service;
    if (service->leaving == NULL || service->ids == NULL || service->newest == NULL || service->fanout == NULL ||
        service->tick == NULL || service->soon == NULL || service->again == NULL) {
        hf_telemetry_service_free(service);
        return NULL;
    }
    return service;
}

void hf_telemetry_service_free(struct hf_telemetry_service *service)
{
    if (service == NULL)
        return;
    close_sources(service);
    if (service->leaving != NULL && service->fanout != NULL) {
        service->leaving->service = NULL;
        /* one more, so that `leaving` lives until the last line */
        service->leaving->n++;
        close_rest(service);
        outlet_gone(service->leaving);
    } else {
        free(service->leaving);
    }
    setting_done(&service->now);
    setting_done(&service->next);
    hf_fanout_free(service->fanout);
    hf_newest_free(service->newest);
    hf_ids_free(service->ids);
    hf_timer_free(service->env->sched, service->tick);
    hf_timer_free(service->env->sched, service->soon);
    hf_timer_free(service->env->sched, service->again);
    free(service);
}

void hf_telemetry_service_stop(struct hf_telemetry_service *service, void (*stopped)(void *arg), void *arg)
{
    service->stopped = stopped;
    service->stopped_arg = arg;
    close_sources(service);
    flush(service);
    service->stopping = true;
    wake(service);
}

void hf_telemetry_service_ingest(void *arg, const struct hf_server_request *request,
                                 struct hf_server_exchange *exchange)
{
    static const char *const later[] = {"Retry-After: 1", NULL};
    struct hf_telemetry_service *service = arg;
    const struct setting *latest = service->switching ? &service->next : &service->now;

    if (service->http != NULL)
        hf_source_http_serve(service->http, request, exchange);
    else if (latest->spec.present && latest->spec.sources.http)
        hf_server_answer(exchange, 503, "application/json", later,
                         HF_VIEW("{\"error\":\"telemetry starts, stops or takes over a new policy\"}\n"));
    else
        hf_server_answer(exchange, 404, "application/json", NULL,
                         HF_VIEW("{\"error\":\"telemetry.sources.http is off\"}\n"));
}

/* ---- what is said of it ------------------------------------------------------------------------------------------ */

static void put_text(json_t *status, const char *key, const char *text)
{
    if (text[0] != '\0')
        (void)json_object_set_new(status, key, json_string(text));
}

/* Omits a count of 0, because the API server keeps a status for every node of a fleet. */
static void put_count(json_t *status, const char *key, uint64_t count)
{
    if (count != 0)
        (void)json_object_set_new(status, key, json_integer((json_int_t)count));
}

static void put_time(json_t *status, const char *key, uint64_t unix_ns)
{
    char text[HF_TIME_TEXT];

    if (unix_ns != 0)
        (void)json_object_set_new(status, key, json_string(hf_format_time(unix_ns, text)));
}

/* What is lost, by the metrics: an outlet's own counts end with each change of the policy. */
static json_t *sink_status(const char *name, const struct hf_outlet *outlet, const struct hf_outlet_state *state,
                           const struct hf_metrics *metrics)
{
    static const char *const breakers[] = {
        [HF_BREAKER_CLOSED] = "Closed", [HF_BREAKER_OPEN] = "Open", [HF_BREAKER_HALF_OPEN] = "HalfOpen"};
    json_t *status = json_pack("{s:s, s:s}", "name", name, "breaker", breakers[state->breaker]);
    uint64_t events = 0, bytes = 0;
    char origin[256];

    for (size_t lane = 0; lane < HF_LANES; lane++) {
        events += state->lanes[lane].queued;
        bytes += state->lanes[lane].queued_bytes;
    }
    put_text(status, "origin", hf_outlet_origin(outlet, origin, sizeof(origin)));
    put_count(status, "queuedEvents", events);
    put_count(status, "queuedBytes", bytes);
    put_time(status, "oldestTime", state->oldest_unix_ns);
    put_count(status, "deadLetters", hf_metrics_sum_of(metrics, "holdfast_telemetry_dead_letter_events_total", name));
    put_count(status, "droppedEvents",
              hf_metrics_sum_of(metrics, "holdfast_telemetry_dropped_events_total", name) +
                  hf_metrics_sum_of(metrics, "holdfast_telemetry_lost_events_total", name));
    put_time(status, "lastDeliveryTime", state->last_delivery_unix_ns);
    put_text(status, "waitingFor", state->waiting_for != NULL ? state->waiting_for : "");
    put_text(status, "message", state->trouble);
    return status;
}

static void add_trouble(json_t *troubles, const char *sink, const char *trouble)
{
    char text[TROUBLE];

    (void)snprintf(text, sizeof(text), "sink %.60s: %s", sink, HF_CUT(250, trouble));
    (void)json_array_append_new(troubles, json_string(text));
}

json_t *hf_telemetry_service_status(const struct hf_telemetry_service *service)
{
    json_t *sinks = json_array(), *troubles = json_array();
    uint64_t bytes = 0, disk = 0, events = 0, oldest = 0;

    if (!service->now.spec.present || sinks == NULL || troubles == NULL) {
        json_decref(sinks);
        json_decref(troubles);
        return NULL;
    }
    for (size_t i = 0; i < hf_fanout_sinks(service->fanout); i++) {
        const char *trouble, *name = hf_outlet_name(&service->now.spec.sinks[i]);
        const struct hf_outlet *outlet = hf_fanout_outlet(service->fanout, i, &trouble);
        if (outlet == NULL) {
            add_trouble(troubles, name, trouble);
            continue;
        }
        struct hf_outlet_state state = hf_outlet_state(outlet);
        for (size_t lane = 0; lane < HF_LANES; lane++) {
            events += state.lanes[lane].queued;
            bytes += state.lanes[lane].queued_bytes;
            disk += state.lanes[lane].store.bytes;
        }
        if (state.oldest_unix_ns != 0 && (oldest == 0 || state.oldest_unix_ns < oldest))
            oldest = state.oldest_unix_ns;
        (void)json_array_append_new(sinks, sink_status(name, outlet, &state, service->env->metrics));
    }
    for (size_t i = 0; i < service->n_troubles; i++)
        (void)json_array_append_new(troubles, json_string(service->troubles[i]));
    json_t *status = json_pack("{s:I, s:I, s:I, s:o}", "queuedBytes", (json_int_t)bytes, "queuedEvents",
                               (json_int_t)events, "diskBytes", (json_int_t)disk, "sinks", sinks);
    put_time(status, "oldestTime", oldest);
    if (json_array_size(troubles) > 0)
        (void)json_object_set(status, "troubles", troubles);
    json_decref(troubles);
    return status;
}
