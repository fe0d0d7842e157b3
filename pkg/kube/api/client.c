/* SPDX-License-Identifier: Apache-2.0 */
/* Each file calls only those after it: client.c, apply.c, call.c, subscription.c, hub.c, apiserver.c and metaserver.c,
 * knock.c, dispatch.c, silence.c, return.c, list.c, watch.c, report.c, state.c. */
#include "kube/api/client.h"

#include <errno.h>
#include <string.h>

#define RETRY_CAP_NS (30 * HF_NS_PER_S) /* SyncPolicy's default retryInterval */

/* ---- the next turn ----------------------------------------------------------------------------------------------- */

/* The server is a MetaServer: every subscription begins anew under its rules; no earlier version serves as a
 * baseline. */
static void switch_over(struct hf_kube *kube)
{
    kube->switch_over = false;
    kube->rules = &hf_kube_metaserver_rules;
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;) {
        hf_kube_dispatch(sub, HF_RF_STOP, 0, NULL);
        sub->ledger.baseline = 0;
    }
    hf_kube_return_forget(kube);
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
    hf_kube_hub_turn(kube);
    hf_kube_meta_turn(kube);
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

static void source_unsubscribe(struct hf_subscription *subscription)
{
    hf_kube_subscription_stop(ours(subscription));
}

static void source_refresh(struct hf_subscription *subscription)
{
    hf_kube_subscription_refresh(ours(subscription));
}

static void source_decline(struct hf_subscription *subscription, const char *name, bool matters)
{
    hf_ledger_decline(&ours(subscription)->ledger, name, matters);
}

static void source_holds(struct hf_subscription *subscription, const char *name, const char *resource_version)
{
    hf_ledger_hold(&ours(subscription)->ledger, name, hf_kube_version_number(resource_version));
}

static void source_relist(struct hf_subscription *subscription)
{
    hf_kube_subscription_relist(ours(subscription));
}

static uint64_t source_heard_ns(void *ctx)
{
    const struct hf_kube *kube = ctx;

    return kube->silence.heard_ns;
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

static void register_metrics(struct hf_kube *kube)
{
    struct hf_metrics *m = kube->p.world.metrics;

    kube->metrics.requests = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_kube_requests_total",
                                              "Requests to the API by verb and status.", HF_LABELS("verb", "code"));
    kube->metrics.events = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_kube_events_total",
                                            "Watch events received by kind.", HF_LABELS("kind"));
    kube->metrics.doubts = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_kube_doubts_total",
                                            "Answers rejected as doubtful, by reason.", HF_LABELS("reason"));
    kube->metrics.errors =
        hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_source_errors_total",
                         "Lists and watches that failed, by kind of object and reason.", HF_LABELS("kind", "reason"));
    kube->metrics.contact = hf_metric_gauge(m, "holdfast_kube_contact", "1 while the API is in proven reach, else 0.");
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
    kube->beat_s = hf_rand_below(params->world.rng, 60);
    kube->spread_ns = params->spread_ns > 0 ? params->spread_ns : HF_RF_SPREAD_NS;
    bool meta = params->api == HF_KUBE_METASERVER ||
                (params->api == HF_KUBE_AUTO && hf_kube_is_meta_address(params->config->server));
    kube->rules = meta ? &hf_kube_metaserver_rules : &hf_kube_apiserver_rules;
    /* Plain HTTP may be a MetaServer behind another port: LIST first, so that its watch shows what it is before we
     * believe it. */
    kube->plain = strncmp(params->config->server, "http://", 7) == 0;
    kube->no_watchlist = params->api == HF_KUBE_AUTO && kube->plain;
    kube->hub.origin = hf_origin_of(params->config->server);
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
        .apply = hf_kube_apply,
        .abandon = hf_kube_apply_abandon,
        .heard_ns = source_heard_ns,
    };
    kube->turn = hf_timer_new(params->world.sched, turn_fires, kube);
    kube->silence.timer = hf_timer_new(params->world.sched, hf_kube_pulse_timer, kube);
    kube->meta.timer = hf_timer_new(params->world.sched, hf_kube_meta_timer, kube);
    kube->ends = hf_timer_new(params->world.sched, hf_kube_ends_timer, kube);
    kube->back.timer = hf_timer_new(params->world.sched, hf_kube_knock_timer, kube);
    if (kube->turn == NULL || kube->meta.timer == NULL || kube->silence.timer == NULL || kube->ends == NULL ||
        kube->back.timer == NULL) {
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
    hf_exchange_close(kube->meta.probe);
    hf_exchange_close(kube->silence.ping);
    hf_exchange_close(kube->hub.review);
    hf_exchange_close(kube->back.knock);
    hf_timer_free(kube->p.world.sched, kube->silence.timer);
    hf_timer_free(kube->p.world.sched, kube->turn);
    hf_timer_free(kube->p.world.sched, kube->meta.timer);
    hf_timer_free(kube->p.world.sched, kube->ends);
    hf_timer_free(kube->p.world.sched, kube->back.timer);
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
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        kube->rules->restored(sub);
    hf_kube_arm_turn(kube);
}

void hf_kube_nudge(struct hf_kube *kube)
{
    kube->rules->network_up(kube);
    hf_kube_nudge_all(kube);
}

bool hf_kube_is_metaserver(const struct hf_kube *kube)
{
    return kube->rules == &hf_kube_metaserver_rules;
}
