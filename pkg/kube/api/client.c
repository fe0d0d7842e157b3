/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/api/client.h"

#include <errno.h>
#include <string.h>

#include "api/meta.h"

#define RETRY_CAP_NS (30 * HF_NS_PER_S) /* SyncPolicy's default retryInterval */

/* ---- silence ----------------------------------------------------------------------------------------------------- */

/* Any answer shows that the server is there, except a 5xx of a proxy in front of a server that names its answers. */
static void ping_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                       const struct hf_err *why)
{
    struct hf_kube *kube = arg;
    struct hf_err err = HF_ERR_INIT;

    (void)body;
    kube->ping = NULL;
    hf_kube_count_request(kube, "ping", r, response);
    if (r == -ENOLINK)
        hf_kube_second_hand(kube);
    if (r < 0 && why != NULL)
        err = *why;
    if (r == 0 && hf_origin_is_proxy_failure(&kube->origin, response->status, response->has_audit_id))
        r = hf_err_set(&err, ENOLINK, "a proxy answered %d: it does not reach the API server", response->status);
    if (r == 0) {
        if (!kube->meta)
            hf_kube_alive(kube);
        hf_pulse_answered(&kube->pulse, hf_kube_now_ns(kube));
        hf_kube_arm_pulse(kube);
        return;
    }
    /* A server that ends resets the ping, too. Only a proxy that does not reach it leaves that open. */
    enum hf_rf_event event = r == -ENOLINK ? HF_RF_LINK_AWAY : hf_reflector_event_of_error(r);
    hf_pulse_reset(&kube->pulse);
    (void)hf_err_wrap(&err, r, "no data on the connection");
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        if (sub->reflector.state == HF_RF_WATCHING)
            hf_kube_dispatch(sub, event == HF_RF_SERVER_AWAY ? event : HF_RF_LINK_AWAY, 0, &err);
}

/* The bytes of a list are no bytes of a watch, and an answer to a ping would wait behind them. The list has time limits
 * of its own. */
static bool is_listing(struct hf_kube *kube)
{
    struct hf_kube_subscription *sub = NULL;

    while ((sub = hf_kube_next(kube, sub)) != NULL)
        if (sub->reflector.state == HF_RF_LISTING && sub->exchange != NULL)
            return true;
    return false;
}

static void pulse_fires(void *arg)
{
    struct hf_kube *kube = arg;
    struct hf_exchange_owner owner = {.ended = ping_ended, .arg = kube, .origin = &kube->origin};
    bool may_be_hub = kube->origin.is_hub || kube->origin.was_second_hand;
    /* YurtHub answers /version by itself, and passes on questions about a group. */
    _cleanup_(hf_freep) char *url =
        hf_asprintf("%s%s", kube->p.config->server, may_be_hub ? "/apis/" HF_API_GROUP_VERSION : "/version");
    struct hf_http_request request = {.method = "GET", .url = url, .timeout_ns = HF_KUBE_PING_NS};
    bool watching = false;

    if (hf_kube_now_ns(kube) < hf_pulse_overdue_ns(&kube->pulse)) {
        hf_kube_arm_pulse(kube);
        return;
    }
    if (is_listing(kube)) {
        kube->p.sched->timer_arm(kube->p.sched->ctx, kube->pulse_timer, HF_PULSE_FIRST_NS);
        return;
    }
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        watching |= sub->reflector.state == HF_RF_WATCHING;
    if (!watching || url == NULL || kube->ping != NULL ||
        hf_exchange_start(kube->p.http, &request, &owner, &kube->ping, NULL) < 0)
        hf_pulse_reset(&kube->pulse);
}

/* ---- a gateway that removes Audit-Id ----------------------------------------------------------------------------- */

/* Only an API server gives a verdict. If the verdict comes without the header, a gateway removes the header. */
static void review_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                         const struct hf_err *why)
{
    struct hf_kube *kube = arg;

    (void)why;
    kube->review = NULL;
    hf_kube_count_request(kube, "review", r, response);
    if (r < 0 || hf_review_take(response->status, body) == HF_REVIEW_UNANSWERED)
        return;
    if (response->has_audit_id) {
        kube->review_wait_ns = HF_MIN(2 * kube->review_wait_ns, HF_KUBE_REVIEW_MAX_NS);
        kube->review_ns = hf_kube_now_ns(kube) + kube->review_wait_ns;
        return;
    }
    hf_log(kube->p.log, HF_LOG_WARNING, "kube.unnamed", HF_S("server", kube->p.config->server));
    hf_origin_found_unnamed(&kube->origin);
    hf_kube_reached(kube);
    hf_kube_return_ready(kube, NULL);
}

static void review_origin(struct hf_kube *kube)
{
    const struct hf_exchange_owner owner = {.ended = review_ended, .arg = kube};

    kube->wants_review = false;
    kube->review_ns = hf_kube_now_ns(kube) + kube->review_wait_ns;
    if (kube->review == NULL && hf_kube_review_start(kube, hf_resource_find("EdgeNode"), &owner, &kube->review) < 0)
        kube->review = NULL; /* the next second-hand answer asks again */
}

/* ---- the next turn ----------------------------------------------------------------------------------------------- */

/* The server is a MetaServer: every subscription begins anew under its rules; no earlier version serves as a
 * baseline. */
static void switch_over(struct hf_kube *kube)
{
    kube->switch_over = false;
    kube->meta = true;
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;) {
        hf_kube_dispatch(sub, HF_RF_STOP, 0, NULL);
        sub->ledger.baseline = 0;
    }
}

static void free_the_dead(struct hf_kube *kube)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &kube->subscriptions) {
        struct hf_kube_subscription *sub = hf_container_of(it, struct hf_kube_subscription, link);
        if (sub->dead)
            hf_kube_subscription_free(sub);
    }
}

static void turn_fires(void *arg)
{
    struct hf_kube *kube = arg;

    free_the_dead(kube);
    if (kube->switch_over)
        switch_over(kube);
    if (kube->wants_review)
        review_origin(kube);
    hf_kube_probe_turn(kube);
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        hf_kube_subscription_turn(sub);
    hf_kube_call_turn(kube);
}

/* ---- kube/source.h ----------------------------------------------------------------------------------------------- */

static struct hf_kube_subscription *ours(struct hf_subscription *subscription)
{
    return hf_container_of(subscription, struct hf_kube_subscription, handle);
}

static int source_subscribe(void *ctx, const char *kind, const char *name, const char *resume, const char *const *known,
                            const struct hf_source_sink *sink, struct hf_subscription **ret_subscription,
                            struct hf_err *err)
{
    const struct hf_kube_target target = {.kind = kind, .name = name, .resume = resume, .known = known};
    struct hf_kube_subscription *sub;
    int r = hf_kube_subscription_new(ctx, &target, sink, &sub, err);

    if (r == 0)
        *ret_subscription = &sub->handle;
    return r;
}

static void source_unsubscribe(void *ctx, struct hf_subscription *subscription)
{
    (void)ctx;
    if (subscription != NULL)
        hf_kube_subscription_stop(ours(subscription));
}

static void source_refresh(void *ctx, struct hf_subscription *subscription)
{
    (void)ctx;
    hf_kube_subscription_refresh(ours(subscription));
}

static void source_decline(void *ctx, struct hf_subscription *subscription, const char *name, bool matters)
{
    (void)ctx;
    hf_ledger_decline(&ours(subscription)->ledger, name, matters);
}

static void source_holds(void *ctx, struct hf_subscription *subscription, const char *resource_version)
{
    struct hf_ledger *ledger = &ours(subscription)->ledger;

    (void)ctx;
    ledger->highest = HF_MAX(ledger->highest, hf_kube_version_number(resource_version));
}

static void source_relist(void *ctx, struct hf_subscription *subscription)
{
    (void)ctx;
    hf_kube_subscription_relist(ours(subscription));
}

static int source_apply(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                        struct hf_delivery **ret_delivery, struct hf_err *err)
{
    return hf_kube_apply(ctx, body, subresource, done, arg, ret_delivery, err);
}

static uint64_t source_heard_ns(void *ctx)
{
    const struct hf_kube *kube = ctx;

    return kube->heard_ns;
}

static void source_abandon(void *ctx, struct hf_delivery *delivery)
{
    (void)ctx;
    hf_kube_apply_abandon(delivery);
}

int hf_kube_follow(struct hf_kube *kube, const char *kind, const char *ns, const char *name,
                   const struct hf_source_sink *sink, struct hf_subscription **ret_subscription, struct hf_err *err)
{
    const char *const known[] = {name, NULL};
    const struct hf_kube_target target = {.kind = kind, .ns = ns, .name = name, .resume = "", .known = known};
    struct hf_kube_subscription *sub;
    int r = hf_kube_subscription_new(kube, &target, sink, &sub, err);

    if (r == 0)
        *ret_subscription = &sub->handle;
    return r;
}

/* ---- kube/kube.h ------------------------------------------------------------------------------------------------- */

/* MetaServer's own port, on this host's loopback or on the link-local address that EdgeCore gives it. Behaviour gives
 * away any other one (list.c, watch.c). */
static bool looks_like_metaserver(const char *server)
{
    static const char *const hosts[] = {"127.0.0.1:10550", "localhost:10550", "169.254.30.10:10550", "[::1]:10550"};
    const char *host = strstr(server, "://");

    for (size_t i = 0; host != NULL && i < HF_LEN(hosts); i++)
        if (strcmp(host + 3, hosts[i]) == 0)
            return true;
    return false;
}

static void register_metrics(struct hf_kube *kube)
{
    struct hf_metrics *m = kube->p.metrics;

    kube->m_requests = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_kube_requests_total",
                                        "Requests to the API by verb and status.", HF_LABELS("verb", "code"));
    kube->m_events = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_kube_events_total",
                                      "Watch events received by kind.", HF_LABELS("kind"));
    kube->m_doubts = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_kube_doubts_total",
                                      "Answers rejected as doubtful, by reason.", HF_LABELS("reason"));
    kube->m_errors =
        hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_source_errors_total",
                         "Lists and watches that failed, by kind of object and reason.", HF_LABELS("kind", "reason"));
    kube->m_contact = hf_metric_gauge(m, "holdfast_kube_contact", "1 while the API is in proven reach, else 0.");
}

struct hf_kube *hf_kube_new(const struct hf_kube_params *params, struct hf_err *err)
{
    struct hf_kube *kube = calloc(1, sizeof(*kube));

    if (kube == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    kube->p = *params;
    hf_kube_set_retry_cap(kube, params->retry_cap_ns);
    kube->beat_s = hf_rand_below(params->rng, 60);
    kube->spread_ns = params->spread_ns > 0 ? params->spread_ns : HF_RF_SPREAD_NS;
    kube->meta = params->api == HF_KUBE_METASERVER ||
                 (params->api == HF_KUBE_AUTO && looks_like_metaserver(params->config->server));
    /* Plain HTTP may be a MetaServer behind another port: LIST first, so that its watch shows what it is before we
     * believe it. */
    kube->plain = strncmp(params->config->server, "http://", 7) == 0;
    kube->no_watchlist = params->api == HF_KUBE_AUTO && kube->plain;
    kube->origin = hf_origin_of(params->config->server);
    hf_list_init(&kube->subscriptions);
    hf_list_init(&kube->deliveries);
    hf_list_init(&kube->calls);
    kube->ops = (struct hf_source_ops){
        .ctx = kube,
        .subscribe = source_subscribe,
        .unsubscribe = source_unsubscribe,
        .refresh = source_refresh,
        .decline = source_decline,
        .holds = source_holds,
        .relist = source_relist,
        .apply = source_apply,
        .abandon = source_abandon,
        .heard_ns = source_heard_ns,
    };
    kube->turn = params->sched->timer_new(params->sched->ctx, turn_fires, kube);
    kube->pulse_timer = params->sched->timer_new(params->sched->ctx, pulse_fires, kube);
    kube->probe_timer = params->sched->timer_new(params->sched->ctx, hf_kube_probe_timer, kube);
    kube->ends = params->sched->timer_new(params->sched->ctx, hf_kube_ends_timer, kube);
    if (kube->turn == NULL || kube->probe_timer == NULL || kube->pulse_timer == NULL || kube->ends == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        hf_kube_free(kube);
        return NULL;
    }
    register_metrics(kube);
    return kube;
}

void hf_kube_free(struct hf_kube *kube)
{
    if (kube == NULL)
        return;
    hf_kube_apply_abandon_all(kube);
    hf_kube_call_cancel_all(kube);
    while (!hf_list_empty(&kube->subscriptions))
        hf_kube_subscription_free(hf_container_of(kube->subscriptions.next, struct hf_kube_subscription, link));
    hf_exchange_close(kube->probe);
    hf_exchange_close(kube->ping);
    hf_exchange_close(kube->review);
    kube->p.sched->timer_free(kube->p.sched->ctx, kube->pulse_timer);
    kube->p.sched->timer_free(kube->p.sched->ctx, kube->turn);
    kube->p.sched->timer_free(kube->p.sched->ctx, kube->probe_timer);
    kube->p.sched->timer_free(kube->p.sched->ctx, kube->ends);
    free(kube);
}

const struct hf_source_ops *hf_kube_source(struct hf_kube *kube)
{
    return &kube->ops;
}

void hf_kube_set_retry_cap(struct hf_kube *kube, uint64_t cap_ns)
{
    kube->p.retry_cap_ns = cap_ns > 0 ? HF_MAX(cap_ns, HF_NS_PER_S) : RETRY_CAP_NS;
}

void hf_kube_set_spread(struct hf_kube *kube, uint64_t spread_ns)
{
    kube->spread_ns = spread_ns > 0 ? HF_MIN(spread_ns, HF_RF_SPREAD_MAX_NS) : HF_RF_SPREAD_NS;
    kube->spread_ns = HF_MAX(kube->spread_ns, kube->fleet_nodes * HF_KUBE_SPREAD_EACH_NS);
}

void hf_kube_restored(struct hf_kube *kube)
{
    kube->went_back_ns = hf_kube_now_ns(kube);
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;) {
        if (kube->meta) {
            hf_kube_subscription_relist(sub);
        } else {
            hf_kube_list_anew(sub);
            sub->twice = true;
        }
    }
    hf_kube_arm_turn(kube);
}

void hf_kube_nudge(struct hf_kube *kube)
{
    if (kube->meta)
        hf_kube_cloud_sign(kube);
    hf_kube_nudge_all(kube);
}

bool hf_kube_is_metaserver(const struct hf_kube *kube)
{
    return kube->meta;
}
