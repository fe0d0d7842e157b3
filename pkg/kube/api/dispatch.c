/* SPDX-License-Identifier: Apache-2.0 */
/* The reflectors: each event goes through the table of rules/reflector.h, and perform() does what it says, in an order
 * that matters. A request is closed before anything is reported, so that no callback finds it open. The timer is set
 * before contact is reported, because the report may lead to another event, which sets its own. A round ends before the
 * next request begins. After each report the subscription may be dead: nothing follows then.
 *
 * Three things end a watch besides its server: no answer in time (the reflector's timer), bookmarks that stop (the
 * silence timer), and the end of its time. A watch that ends early may be the first of all that a server ends as it
 * shuts down, so its end waits a little for the others (hf_kube_ends_timer()).
 *
 * A request that cannot even start fails in the next turn of the loop: no callback runs inside a call of our user. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

/* A server often ends one kind's watches for all nodes at once: one that ends more than HF_KUBE_DUE_NS early opens
 * again after a random HF_KUBE_ENDS_NS to HF_KUBE_REOPEN_EACH_NS per node. Another ends early meanwhile: the server
 * shuts down. */
#define HF_KUBE_ENDS_NS (300 * HF_NS_PER_MS)
#define HF_KUBE_REOPEN_EACH_NS (20 * HF_NS_PER_MS)
#define HF_KUBE_DUE_NS (5 * HF_NS_PER_S)
#define HF_KUBE_NUDGE_NS (5 * HF_NS_PER_S) /* pause of hf_kube_reached() */

/* Without a byte, as a slow link may need minutes for a list: of a page; of a WatchList after HF_RF_FILL_NS, shorter
 * than between bookmarks, so that one with bookmarks alone ends. */
#define HF_KUBE_LIST_IDLE_NS (60 * HF_NS_PER_S)
#define HF_KUBE_FILL_IDLE_NS (20 * HF_NS_PER_S)
#define HF_KUBE_LIST_NS (900 * HF_NS_PER_S) /* page or WatchList */
/* An API server ends an answer after --request-timeout, usually 60 s: after a LIST that breaks this late, pages. */
#define HF_KUBE_LIST_SLOW_NS (45 * HF_NS_PER_S)

enum {
    WATCH_MIN_S = 1800,
    WATCH_MAX_S = 3600,
    FIRST_MIN_S = 60, /* the first watch after a failure: see client.h, silence */
    FIRST_MAX_S = 180,
    NODES_EACH_S = 5, /* the first watches of a large fleet end at that rate and slower */
    BOOKMARK_S = 60,
    LATE_S = 60, /* patience with a server that does not end the watch when it said it would */
};

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static int watch_accepted(void *arg, const struct hf_http_response *response);
static int watch_bytes(void *arg, const void *bytes, size_t n);
static void watch_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                        const struct hf_err *why);
static void list_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                       const struct hf_err *why);

static void start_call(struct hf_kube_subscription *sub, const char *url, uint64_t watch_s)
{
    static const struct hf_exchange_owner watch_owner = {
        .accepted = watch_accepted, .bytes = watch_bytes, .ended = watch_ended};
    static const struct hf_exchange_owner list_owner = {.ended = list_ended};
    const char *accept = !hf_kube_wants_metadata(sub) ? "Accept: application/json"
                         : watch_s > 0 ? "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
                                       : "Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    struct hf_http_request request = {.method = "GET", .url = url, .headers = {accept}};
    struct hf_exchange_owner owner = watch_s > 0 ? watch_owner : list_owner;

    owner.arg = sub;
    owner.origin = sub->kube->rules->speaks_for_itself ? &sub->kube->hub.origin : NULL;
    if (watch_s > 0) {
        request.timeout_ns = (watch_s + LATE_S) * HF_NS_PER_S;
        request.max_body_bytes = UINT64_MAX;
    } else {
        request.timeout_ns = HF_KUBE_LIST_NS;
        request.idle_timeout_ns = HF_KUBE_LIST_IDLE_NS;
        request.max_body_bytes = HF_KUBE_MAX_LIST_BYTES;
    }
    assert(sub->exchange == NULL); /* one request at a time */
    sub->asked_ns = hf_kube_now_ns(sub->kube);
    int r = hf_exchange_start(sub->kube->p.http, &request, &owner, &sub->exchange, NULL);
    if (r < 0) {
        sub->start_error = r;
        hf_kube_arm_turn(sub->kube);
    }
}

/* A server's bookmarks come about BOOKMARK_S apart, counted from the beginning of each watch. Each watch ends at a
 * moment that spreads the bookmarks of the next ones evenly over that time: then the connection is never silent for
 * long. */
static uint64_t to_its_turn(struct hf_kube_subscription *sub, uint64_t seconds)
{
    uint64_t end = hf_kube_now_ns(sub->kube) / HF_NS_PER_S + seconds + sub->kube->beat_s, turn = 0, n = 0;

    for (const struct hf_kube_subscription *s = NULL; (s = hf_kube_next(sub->kube, s)) != NULL; n++)
        if (s == sub)
            turn = n;
    return seconds + (BOOKMARK_S + turn * BOOKMARK_S / HF_MAX(n, 1u) - end % BOOKMARK_S) % BOOKMARK_S;
}

static uint64_t watch_seconds(struct hf_kube_subscription *sub)
{
    bool is_long = sub->watch.calm || !sub->kube->rules->speaks_for_itself;
    uint64_t least = is_long ? WATCH_MIN_S : FIRST_MIN_S;
    uint64_t most = is_long ? WATCH_MAX_S : FIRST_MAX_S + sub->kube->fleet_nodes / NODES_EACH_S;

    return to_its_turn(sub, least + hf_rand_below(sub->kube->p.world.rng, most - least + 1));
}

static void start_list(struct hf_kube_subscription *sub)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(4 * HF_RESOURCE_MAX_URL);
    const char *next = sub->round.next_page != NULL ? sub->round.next_page : "";
    enum hf_page page = sub->next.small      ? HF_PAGE_SMALL
                        : sub->next.exact    ? HF_PAGE_EXACT
                        : sub->kube->p.fleet ? HF_PAGE_LARGE
                                             : HF_PAGE_CACHED;
    int r = hf_resource_list_url(sub->kube->p.config->server, sub->resource, sub->name, page, next, &url);

    start_call(sub, r == 0 ? hf_buf_str(&url) : "", 0);
}

static void start_watch(struct hf_kube_subscription *sub, bool fill)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(HF_RESOURCE_MAX_URL);
    const char *server = sub->kube->p.config->server;
    const char *version = *sub->version != '\0' && sub->kube->rules->resumes ? sub->version : "0";
    uint64_t seconds = watch_seconds(sub);
    int r = fill ? hf_resource_fill_url(server, sub->resource, sub->name, seconds, &url)
                 : hf_resource_watch_url(server, sub->resource, sub->name, version, seconds, &url);

    hf_watch_stream_done(&sub->watch.stream);
    hf_watch_stream_init(&sub->watch.stream);
    sub->watch.asked_version = fill ? 0 : hf_kube_version_number(version);
    sub->watch.garbage = 0;
    sub->watch.bookmark_ns = sub->watch.gap_ns = 0;
    sub->watch.due_ns = hf_kube_now_ns(sub->kube) + seconds * HF_NS_PER_S;
    start_call(sub, r == 0 ? hf_buf_str(&url) : "", seconds);
}

/* ---- the reflector ----------------------------------------------------------------------------------------------- */

void hf_kube_close_call(struct hf_kube_subscription *sub)
{
    hf_exchange_close(hf_steal(sub->exchange));
    sub->start_error = 0;
    sub->watch.ended = false;
    hf_watch_stream_done(&sub->watch.stream);
    hf_watch_stream_init(&sub->watch.stream);
    hf_timer_disarm(sub->kube->p.world.sched, sub->watch.silence);
}

/* Logs a change of contact as such; each further failure of the same kind at debug level. */
static void log_move(const struct hf_kube_subscription *sub, enum hf_rf_state from, enum hf_rf_event event,
                     const struct hf_rf_step *step, const struct hf_err *err)
{
    bool reported = sub->contact.reported == HF_KUBE_REPORTED_LOST;
    bool lost = (step->effects & HF_RF_REPORT_LOST) != 0 && !reported;
    bool found = (step->effects & HF_RF_REPORT_PROVEN) != 0 && sub->contact.lost;
    char text[512] = "";

    hf_log(sub->kube->p.world.log,
           lost    ? HF_LOG_WARNING
           : found ? HF_LOG_INFO
                   : HF_LOG_DEBUG,
           lost    ? "kube.lost"
           : found ? "kube.found"
                   : "kube.move",
           HF_S("kind", sub->resource->kind), HF_S("from", hf_reflector_state_name(from)),
           HF_S("on", hf_reflector_event_name(event)), HF_S("to", hf_reflector_state_name(sub->reflector.state)),
           HF_D("delay_ms", step->delay_ns / HF_NS_PER_MS),
           HF_S("error", err != NULL ? hf_err_text(err, text, sizeof(text)) : ""));
}

static void perform(struct hf_kube_subscription *sub, const struct hf_rf_step *step, const struct hf_err *err)
{
    const struct hf_sched_ops *sched = sub->kube->p.world.sched;
    unsigned effects = step->effects;

    if ((effects & HF_RF_CLOSE) != 0)
        hf_kube_close_call(sub);
    if ((effects & HF_RF_DROP_ROUND) != 0)
        hf_kube_list_forget_pages(sub);
    uint64_t delay_ns = (effects & HF_RF_SET_TIMER) != 0 ? hf_kube_return_rest_ns(sub, step->delay_ns) : HF_NEVER;
    if (delay_ns != HF_NEVER)
        hf_timer_arm(sched, sub->timer, delay_ns);
    else
        hf_timer_disarm(sched, sub->timer);
    sub->kube->rules->contact_changed(sub, effects, err);
    if ((effects & HF_RF_END_ROUND) != 0 && !sub->dead)
        hf_kube_list_end_round(sub);
    if ((effects & HF_RF_SYNCED) != 0 && sub->kube->rules->resumes)
        hf_kube_report_synced(sub);
    if ((effects & HF_RF_REAUTH) != 0)
        hf_kube_reauth(sub->kube);
    if (sub->dead)
        return;
    if ((effects & HF_RF_BEGIN_ROUND) != 0) {
        hf_ledger_begin(&sub->ledger);
        sub->next.relist = sub->round.reported_some = sub->round.contradicted = false;
    }
    if ((effects & (HF_RF_LIST | HF_RF_NEXT_PAGE)) != 0)
        start_list(sub);
    if ((effects & HF_RF_ASK) != 0)
        start_watch(sub, true);
    if ((effects & HF_RF_WATCH) != 0)
        start_watch(sub, false);
    if (sub->next.relist && sub->reflector.state == HF_RF_WATCHING)
        hf_kube_arm_turn(sub->kube);
}

void hf_kube_dispatch(struct hf_kube_subscription *sub, enum hf_rf_event event, uint64_t retry_after_ns,
                      const struct hf_err *err)
{
    const struct hf_rf_limits limits = hf_kube_limits(sub->kube);
    enum hf_rf_state from = sub->reflector.state;

    if (sub->dead)
        return;
    sub->reflector.no_watchlist |= sub->kube->no_watchlist;
    bool plain = sub->reflector.no_watchlist;
    if (sub->next.exact) /* ask the store itself */
        sub->reflector.no_watchlist = true;
    struct hf_rf_step step = hf_reflector_step(&sub->reflector, event, &limits, hf_kube_now_ns(sub->kube),
                                               retry_after_ns, sub->kube->p.world.rng);
    if (sub->next.exact)
        sub->reflector.no_watchlist = plain;
    else
        sub->kube->no_watchlist |= sub->reflector.no_watchlist;
    if (!step.taken)
        return;
    hf_kube_count_error(sub->kube, sub->resource->kind, event);
    log_move(sub, from, event, &step, err);
    perform(sub, &step, err);
    if (!sub->dead)
        hf_kube_return_moved(sub, from, event);
}

static void nudge(struct hf_kube *kube, uint64_t at_least_ns, bool also_for_server)
{
    uint64_t now = hf_kube_now_ns(kube);

    if (kube->last_nudge_ns != 0 && now - kube->last_nudge_ns < at_least_ns)
        return;
    kube->last_nudge_ns = now;
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        if (also_for_server || !hf_kube_return_awaits(sub))
            hf_kube_dispatch(sub, HF_RF_NUDGE, 0, NULL);
}

void hf_kube_nudge_all(struct hf_kube *kube)
{
    nudge(kube, 0, true);
}

void hf_kube_reached(struct hf_kube *kube)
{
    nudge(kube, HF_KUBE_NUDGE_NS, !kube->rules->takes_turns);
}

/* Returns for how long a WatchList may go on, because its objects still come; 0: no longer. */
static uint64_t fill_patience_ns(const struct hf_kube_subscription *sub)
{
    uint64_t now = hf_kube_now_ns(sub->kube), quiet = now - sub->watch.heard_ns, all = now - sub->asked_ns;

    if (sub->reflector.state != HF_RF_FILLING || quiet >= HF_KUBE_FILL_IDLE_NS || all >= HF_KUBE_LIST_NS)
        return 0;
    return HF_MIN(HF_KUBE_FILL_IDLE_NS - quiet, HF_KUBE_LIST_NS - all);
}

void hf_kube_reflector_timer(void *arg)
{
    struct hf_kube_subscription *sub = arg;
    uint64_t patience_ns = fill_patience_ns(sub);
    struct hf_err err = HF_ERR_INIT;
    bool waiting = sub->reflector.state == HF_RF_ASKING || sub->reflector.state == HF_RF_OPENING;

    if (patience_ns > 0) {
        hf_timer_arm(sub->kube->p.world.sched, sub->timer, patience_ns);
        return;
    }
    (void)hf_err_set(&err, ETIMEDOUT, "%s: the server did not answer the watch in time", sub->resource->kind);
    bool expired = hf_kube_return_turn(sub);
    hf_kube_dispatch(sub, expired ? HF_RF_EXPIRED : HF_RF_TIMER, 0, waiting ? &err : NULL);
}

/* ---- the ends of calls ------------------------------------------------------------------------------------------- */

/* True if a list has the status 200 and is a web page: the login page of a network answers in the server's place. */
static bool is_web_page(const struct hf_http_response *response)
{
    return strncasecmp(response->content_type, "text/html", strlen("text/html")) == 0;
}

/* True if the answer to a LIST had begun, and broke after a time after which a server ends it. */
static bool was_too_slow(const struct hf_kube_subscription *sub, int r, const struct hf_http_response *response)
{
    return response != NULL && (r == -ETIMEDOUT || r == -EPIPE) &&
           hf_kube_now_ns(sub->kube) - sub->asked_ns >= HF_KUBE_LIST_SLOW_NS;
}

/* A call ended without a usable answer: `r` or the status gives the machine's event. */
static void call_failed(struct hf_kube_subscription *sub, int r, const struct hf_http_response *response,
                        struct hf_view body, const struct hf_err *why)
{
    struct hf_err err = HF_ERR_INIT;
    char text[150];

    if (r < 0) {
        if (r == -ENOLINK)
            hf_kube_second_hand(sub->kube);
        if (r == -E2BIG)
            hf_kube_list_ask_for_pages(sub);
        hf_kube_dispatch(sub, hf_reflector_event_of_error(r), 0, why);
        return;
    }
    (void)hf_err_set(&err, hf_kube_status_errno(response->status), "%s: the server answered %d: %s",
                     sub->resource->kind, response->status, hf_kube_status_message(body, text, sizeof(text)));
    enum hf_rf_event event = hf_reflector_event_of_status(response->status);
    /* The server is in reach, and it works: one that begins or has too much to do answers 401, 403, 404, 429 or 5xx. */
    if (event == HF_RF_REFUSED || event == HF_RF_EXPIRED)
        hf_kube_reached(sub->kube);
    if (hf_kube_return_is_early(sub, event))
        event = HF_RF_SERVER_AWAY;
    if (event == HF_RF_FORBIDDEN || event == HF_RF_MISSING || event == HF_RF_GARBAGE)
        hf_kube_report_refused(sub, "answer", &err);
    hf_kube_dispatch(sub, event, response->retry_after_ns, &err);
}

static void list_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                       const struct hf_err *why)
{
    struct hf_kube_subscription *sub = arg;
    enum hf_rf_event event = HF_RF_GARBAGE;
    struct hf_err err = HF_ERR_INIT;
    char *next = NULL;

    sub->exchange = NULL;
    hf_kube_count_request(sub->kube, "list", r, response);
    if (was_too_slow(sub, r, response))
        hf_kube_list_ask_for_pages(sub);
    if (r < 0 || response->status != 200) {
        call_failed(sub, r, response, body, why);
        return;
    }
    if (is_web_page(response)) {
        (void)hf_err_set(&err, EREMCHG,
                         "%s: a web page came instead of a list: another server answers, such as the "
                         "login page of a network",
                         sub->resource->kind);
        hf_kube_report_doubt(sub, "garbage", "list", &err);
        hf_kube_dispatch(sub, HF_RF_GARBAGE, 0, &err);
        return;
    }
    switch (hf_kube_list_take(sub, body, response->date_unix_ns, &next, &err)) {
    case HF_KUBE_LIST_PROVEN:
        if (sub->dead) {
            free(next);
            return;
        }
        event = hf_kube_list_page(sub, next, &err);
        break;
    case HF_KUBE_LIST_MISSPELT:
        hf_kube_report_doubt(sub, "misspelt", "list", &err);
        hf_kube_recognise_meta(sub->kube, "misspelt list kind");
        break;
    case HF_KUBE_LIST_BACKWARDS:
        break;
    case HF_KUBE_LIST_GARBAGE:
        hf_kube_report_doubt(sub, "garbage", "list", &err);
        break;
    }
    hf_kube_dispatch(sub, event, 0, event == HF_RF_GARBAGE ? &err : NULL);
}

static int watch_accepted(void *arg, const struct hf_http_response *response)
{
    struct hf_kube_subscription *sub = arg;
    int r = hf_kube_watch_begin(sub, response);

    if (r == 0)
        hf_kube_dispatch(sub, HF_RF_ACCEPTED, 0, NULL);
    return r;
}

static int watch_event(void *arg, const struct hf_watch_event *event, const struct hf_err *why)
{
    struct hf_kube_subscription *sub = arg;
    const struct hf_exchange *mine = sub->exchange;
    struct hf_kube_outcome outcome;

    hf_kube_watch_take(sub, event, why, &outcome);
    if (outcome.event != HF_RF_EVENTS)
        hf_kube_dispatch(sub, outcome.event, outcome.retry_after_ns, outcome.has_err ? &outcome.err : NULL);
    return sub->dead || sub->exchange != mine ? -ECANCELED : 0;
}

static int watch_bytes(void *arg, const void *bytes, size_t n)
{
    struct hf_kube_subscription *sub = arg;
    const struct hf_exchange *mine = sub->exchange;

    sub->watch.heard_ns = hf_kube_now_ns(sub->kube);
    hf_kube_heard(sub->kube);
    int r = hf_watch_stream_feed(&sub->watch.stream, bytes, n, watch_event, sub);
    if (r == 0 && sub->exchange == mine && sub->kube->rules->speaks_for_itself)
        hf_kube_report_contact(sub, HF_CONTACT_PROVEN, 0, NULL); /* keeps "last contact" true */
    return r;
}

static bool ends_too_early(const struct hf_kube_subscription *sub)
{
    return sub->kube->rules->takes_turns && sub->reflector.state == HF_RF_WATCHING &&
           hf_kube_now_ns(sub->kube) + HF_KUBE_DUE_NS < sub->watch.due_ns;
}

static void arm_ends(struct hf_kube *kube, uint64_t delay_ns)
{
    hf_timer_arm(kube->p.world.sched, kube->ends, delay_ns);
}

/* A server that shuts down ends all watches in good order, of all nodes at the same moment. */
static void await_other_ends(struct hf_kube_subscription *sub)
{
    struct hf_kube *kube = sub->kube;
    uint64_t window_ns = hf_rand_below(kube->p.world.rng, kube->fleet_nodes * HF_KUBE_REOPEN_EACH_NS + 1);

    sub->watch.ended = true;
    sub->watch.reopen_ns = hf_kube_now_ns(kube) + HF_MAX(window_ns, HF_KUBE_ENDS_NS);
    arm_ends(kube, HF_KUBE_ENDS_NS);
}

static void watch_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                        const struct hf_err *why)
{
    struct hf_kube_subscription *sub = arg;
    bool filling = sub->reflector.state == HF_RF_ASKING || sub->reflector.state == HF_RF_FILLING;

    sub->exchange = NULL;
    hf_kube_count_request(sub->kube, filling ? "watchlist" : "watch", r, response);
    sub->watch.calm = r == 0 && response->status == 200;
    if (!sub->watch.calm)
        call_failed(sub, r, response, body, why);
    else if (ends_too_early(sub))
        await_other_ends(sub);
    else
        hf_kube_dispatch(sub, HF_RF_ENDED, 0, NULL);
}

void hf_kube_ends_timer(void *arg)
{
    struct hf_kube *kube = arg;
    struct hf_kube_subscription *last = NULL;
    struct hf_err err = HF_ERR_INIT;
    uint64_t now = hf_kube_now_ns(kube);
    size_t n = 0;

    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;) {
        n += sub->watch.ended;
        last = sub->watch.ended ? sub : last;
    }
    if (n == 1 && now < last->watch.reopen_ns) {
        arm_ends(kube, last->watch.reopen_ns - now);
        return;
    }
    bool away = n > 1 || hf_kube_return_is_ahead(kube); /* the others were cut: it is away for this one, too */
    (void)hf_err_set(&err, ECONNRESET, "the server ended its watches: it shuts down");
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;) {
        if (!sub->watch.ended)
            continue;
        sub->watch.ended = false;
        hf_kube_dispatch(sub, away ? HF_RF_SERVER_AWAY : HF_RF_ENDED, 0, away ? &err : NULL);
    }
}

/* Bookmarks came and stopped: something between us and the server swallows the stream. */
void hf_kube_silence_timer(void *arg)
{
    struct hf_kube_subscription *sub = arg;
    uint64_t patience_ns = hf_kube_watch_patience_ns(sub);
    struct hf_err err = HF_ERR_INIT;

    if (sub->dead || sub->exchange == NULL)
        return;
    if (patience_ns > 0) {
        hf_timer_arm(sub->kube->p.world.sched, sub->watch.silence, patience_ns);
        return;
    }
    (void)hf_err_set(&err, ETIMEDOUT, "%s: the watch has been silent for %ju s", sub->resource->kind,
                     (uintmax_t)((hf_kube_now_ns(sub->kube) - sub->watch.heard_ns) / HF_NS_PER_S));
    hf_kube_dispatch(sub, HF_RF_LINK_AWAY, 0, &err);
}
