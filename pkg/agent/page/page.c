/* SPDX-License-Identifier: Apache-2.0 */
/* A status, a viewer who comes, and time make one timer fire: it takes a sample if one is due, and sends the state to
 * the viewers. Without viewers nothing arms it but a status, which comes at each interval anyway. The timer also takes
 * the work out of the callers' hands: a status is shown in the middle of the agent's turn.
 *
 *   /page/state.json    {"time", "page", "node", "telemetry", "now"}: the node's clock, `page` of agent.yaml, the
 *                       newest status as `holdfast status` reads it, and what moves between two statuses: its
 *                       telemetry, and figures (metrics)
 *   /page/live          the same text as a websocket: when it changes, and at least each HF_AGENT_PAGE_LIVE_NS while
 *                       somebody looks; HF_AGENT_PAGE_VIEWERS at most
 *   /page/history.json  figures of the last 24 hours (agent/page/history.h)
 *   /page/reasons.json  what each reason means, and what to do: {"update": {NAME: {"means", "do"}}, ...}
 *   /page/act           POST: agent/page/acts.h, which alone acts, and only with `page: Act` */
#include "agent/page/page.h"

#include <math.h>
#include <stdlib.h>

#include "agent/page/act.h"
#include "agent/page/acts.h"
#include "agent/page/history.h"
#include "base/format.h"
#include "loop/server/feed.h"
#include "sync/page_reasons.h"
#include "web/page.h"

#define HF_AGENT_PAGE_LIVE_NS (2 * HF_NS_PER_S)

enum { MAX_STATUS_BYTES = 256 << 10, MAX_STATE_BYTES = MAX_STATUS_BYTES + 16384, MAX_ROUTES = 24 };

/* The figures that move between two statuses; the first ones, as many as `kept`, have a history. */
static const struct {
    const char *key, *metric;
    enum hf_metrics_fold fold;
} figures[] = {
    {"networkBytes", "holdfast_network_bytes_total", HF_METRICS_SUM},
    {"queuedEvents", "holdfast_telemetry_queue_events", HF_METRICS_SUM},
    {"contactAgeSeconds", "holdfast_contact_age_seconds", HF_METRICS_SUM},
    {"diskUsedRatio", "holdfast_disk_used_ratio", HF_METRICS_MAX},
    {"writtenBytes", "holdfast_writes_bytes_total", HF_METRICS_SUM},
    {"cpuSeconds", "holdfast_process_cpu_seconds_total", HF_METRICS_SUM},
    {"residentBytes", "holdfast_process_resident_memory_bytes", HF_METRICS_SUM},
    {"startUnixSeconds", "holdfast_process_start_time_seconds", HF_METRICS_MAX},
};

static const struct hf_page_series kept[] = {
    {"networkBytes", true}, {"queuedEvents", false}, {"contactAgeSeconds", false}, {"diskUsedRatio", false},
    {"writtenBytes", true}, {"cpuSeconds", true},    {"residentBytes", false},
};

_Static_assert(HF_LEN(kept) <= HF_LEN(figures) && HF_LEN(kept) <= HF_PAGE_SERIES_MAX, "each series has its figure");

struct hf_agent_page {
    struct hf_agent_page_params params;
    struct hf_buf status;            /* the newest; empty before the first */
    struct hf_page_history *history; /* NULL before the first sample */
    struct hf_server_feed *feed;
    struct hf_timer *timer;
    struct hf_page_acts *acts;
    unsigned n_viewers;
    struct hf_server_route routes[MAX_ROUTES];
    size_t n_routes;
};

/* ---- who may look ------------------------------------------------------------------------------------------------ */

static const char *why_not(const struct hf_agent_page *page, const struct hf_peer *peer)
{
    if (hf_config_page(page->params.configuration->now) == HF_CONFIG_PAGE_NONE)
        return "the page is off: agent.yaml has page: None, or a mistake there";
    if (!peer->from_loopback && !peer->over_unix)
        return "the page is for this machine alone: come over 127.0.0.1, as through ssh -L";
    return NULL;
}

static bool may_join(void *arg, const struct hf_peer *peer, HF_UNUSED const char *protocols)
{
    return why_not(arg, peer) == NULL;
}

static bool is_refused(const struct hf_agent_page *page, const struct hf_server_request *request,
                       struct hf_server_reply *reply)
{
    const char *why = why_not(page, request->peer);

    if (why == NULL)
        return false;
    reply->status = 403;
    reply->content_type = "application/json";
    (void)!hf_buf_addf(&reply->body, "{\"error\":\"%s\"}\n", why);
    return true;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void answer_file(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (!is_refused(arg, request, reply))
        hf_page_answer(request, reply);
}

static void begin_json(struct hf_server_reply *reply)
{
    hf_page_protect(reply);
    reply->content_type = "application/json";
}

/* Half a document would look like facts that are absent. */
static void end_json(struct hf_server_reply *reply, int r)
{
    if (r == 0)
        return;
    hf_buf_clear(&reply->body);
    reply->status = 500;
}

static int add_figures(const struct hf_metrics *metrics, struct hf_buf *out)
{
    const char *comma = "";
    double value;
    int r = 0;

    for (size_t i = 0; i < HF_LEN(figures) && r == 0; i++) {
        if (!hf_metrics_read(metrics, figures[i].metric, figures[i].fold, &value) || !isfinite(value))
            continue;
        r = hf_buf_addf(out, "%s\"%s\":%.17g", comma, figures[i].key, value);
        comma = ",";
    }
    return r;
}

/* Events can be lost long before the next status says so. */
static int add_telemetry(const struct hf_agent_page *page, struct hf_buf *out)
{
    _cleanup_(hf_json_freep) json_t *telemetry = page->params.telemetry(page->params.arg);
    _cleanup_(hf_freep) char *text = telemetry != NULL ? json_dumps(telemetry, JSON_COMPACT) : NULL;

    return text != NULL ? hf_buf_addf(out, ",\"telemetry\":%s", text) : 0;
}

static int add_state(const struct hf_agent_page *page, struct hf_buf *out)
{
    char time[HF_TIME_TEXT];
    int r = hf_buf_addf(
        out, "{\"time\":\"%s\",\"page\":\"%s\",\"node\":", hf_format_time(hf_unix_ns(page->params.world.clock), time),
        hf_config_page_name(hf_config_page(page->params.configuration->now)));

    hf_metrics_collect(page->params.world.metrics);
    if (r == 0)
        r = page->status.n > 0 ? hf_buf_add(out, page->status.p, page->status.n) : hf_buf_add_str(out, "null");
    if (r == 0)
        r = add_telemetry(page, out);
    if (r == 0)
        r = hf_buf_add_str(out, ",\"now\":{");
    if (r == 0)
        r = add_figures(page->params.world.metrics, out);
    return r == 0 ? hf_buf_add_str(out, "}}\n") : r;
}

static void answer_state(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (is_refused(arg, request, reply))
        return;
    begin_json(reply);
    end_json(reply, add_state(arg, &reply->body));
}

static void answer_reasons(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (is_refused(arg, request, reply))
        return;
    begin_json(reply);
    end_json(reply, hf_page_reasons(&reply->body));
}

static void answer_history(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    const struct hf_agent_page *page = arg;

    if (is_refused(page, request, reply))
        return;
    begin_json(reply);
    end_json(reply, page->history != NULL
                        ? hf_page_history_format(page->history, hf_mono_ns(page->params.world.clock), &reply->body)
                        : hf_buf_add_str(&reply->body, "{\"ages\":[],\"series\":{}}\n"));
}

static void answer_live(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (is_refused(arg, request, reply))
        return;
    reply->status = 426;
    reply->extra_headers[0] = "Upgrade: websocket";
    end_json(reply, hf_buf_add_str(&reply->body, "this path is a websocket\n"));
}

static void start_act(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    const struct hf_agent_page *page = arg;

    if (why_not(page, request->peer) != NULL)
        hf_server_answer(exchange, 403, "application/json", NULL, HF_VIEW("{\"error\":\"come over loopback\"}\n"));
    else
        hf_page_acts_start(page->acts, request, exchange);
}

/* ---- samples and viewers ----------------------------------------------------------------------------------------- */

static void take_sample(struct hf_agent_page *page)
{
    uint64_t now_ns = hf_mono_ns(page->params.world.clock);
    double values[HF_LEN(kept)];

    if (page->history == NULL)
        page->history = hf_page_history_new(kept, HF_LEN(kept));
    if (page->history == NULL || !hf_page_history_is_due(page->history, now_ns))
        return;
    hf_metrics_collect(page->params.world.metrics);
    for (size_t i = 0; i < HF_LEN(kept); i++)
        if (!hf_metrics_read(page->params.world.metrics, figures[i].metric, figures[i].fold, &values[i]))
            values[i] = NAN;
    hf_page_history_add(page->history, now_ns, values);
}

static void send_state(const struct hf_agent_page *page)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_STATE_BYTES);

    if (add_state(page, &text) == 0)
        (void)!hf_server_feed_send(page->feed, hf_buf_view(&text));
}

static void on_timer(void *arg)
{
    struct hf_agent_page *page = arg;

    if (hf_config_page(page->params.configuration->now) == HF_CONFIG_PAGE_NONE) {
        hf_server_feed_end(page->feed);
        return;
    }
    take_sample(page);
    if (page->n_viewers == 0)
        return;
    send_state(page);
    hf_timer_arm(page->params.world.sched, page->timer, HF_AGENT_PAGE_LIVE_NS);
}

static void wake(const struct hf_agent_page *page)
{
    hf_timer_arm(page->params.world.sched, page->timer, 0);
}

static void viewers_changed(void *arg, unsigned n_viewers)
{
    struct hf_agent_page *page = arg;
    bool more = n_viewers > page->n_viewers;

    page->n_viewers = n_viewers;
    if (more)
        wake(page);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void add_route(struct hf_agent_page *page, const char *path,
                      void (*handle)(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply))
{
    page->routes[page->n_routes++] =
        (struct hf_server_route){.path = path, .method = "GET", .handle = handle, .arg = page};
}

struct hf_agent_page *hf_agent_page_new(const struct hf_agent_page_params *params)
{
    struct hf_agent_page *page = calloc(1, sizeof(*page));
    const char *path;

    if (page == NULL)
        return NULL;
    page->params = *params;
    page->status.max = MAX_STATUS_BYTES;
    page->feed = hf_server_feed_new(&(struct hf_server_feed_params){
        .max_viewers = HF_AGENT_PAGE_VIEWERS, .may_join = may_join, .changed = viewers_changed, .arg = page});
    page->timer = hf_timer_new(params->world.sched, on_timer, page);
    page->acts = hf_page_acts_new(&page->params);
    if (page->feed == NULL || page->timer == NULL || page->acts == NULL) {
        hf_agent_page_free(page);
        return NULL;
    }
    add_route(page, "/page/state.json", answer_state);
    add_route(page, "/page/reasons.json", answer_reasons);
    add_route(page, "/page/history.json", answer_history);
    add_route(page, "/page/live", answer_live);
    page->routes[page->n_routes - 1].feed = page->feed;
    page->routes[page->n_routes++] = (struct hf_server_route){
        .path = "/page/act", .method = "POST", .max_body = HF_PAGE_ACT_MAX_BYTES, .start = start_act, .arg = page};
    for (size_t i = 0; (path = hf_page_path(i)) != NULL; i++)
        add_route(page, path, answer_file);
    return page;
}

void hf_agent_page_free(struct hf_agent_page *page)
{
    if (page == NULL)
        return;
    hf_page_acts_free(page->acts);
    hf_server_feed_free(page->feed);
    hf_timer_free(page->params.world.sched, page->timer);
    hf_page_history_free(page->history);
    hf_buf_done(&page->status);
    free(page);
}

void hf_agent_page_show(struct hf_agent_page *page, struct hf_view status)
{
    if (page == NULL)
        return;
    hf_buf_clear(&page->status);
    (void)!hf_buf_add(&page->status, status.p, status.n);
    wake(page);
}

const struct hf_server_route *hf_agent_page_routes(const struct hf_agent_page *page, size_t *ret_n)
{
    *ret_n = page->n_routes;
    return page->routes;
}
