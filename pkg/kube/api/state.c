/* SPDX-License-Identifier: Apache-2.0 */

#include "kube/api/client.h"

#define HF_KUBE_REAUTH_NS (5 * HF_NS_PER_S)   /* pause of reading credentials */
#define HF_KUBE_REVIEW_NS (300 * HF_NS_PER_S) /* from the first second-hand answer to a review */

uint64_t hf_kube_now_ns(const struct hf_kube *kube)
{
    return hf_mono_ns(kube->p.world.clock);
}

struct hf_rf_limits hf_kube_limits(const struct hf_kube *kube)
{
    return (struct hf_rf_limits){
        .retry_cap_ns = kube->p.retry_cap_ns,
        .spread_ns = kube->spread_ns,
        .only_watch = kube->rules->only_watch,
        .fill_ns = kube->p.fleet ? HF_RF_FLEET_FILL_NS : HF_RF_FILL_NS,
    };
}

bool hf_kube_wants_metadata(const struct hf_kube_subscription *sub)
{
    return sub->kube->p.fleet && !sub->kube->rules->only_watch && sub->resource->metadata;
}

void hf_kube_learn_fleet(struct hf_kube *kube, uint64_t nodes)
{
    if (kube->p.fleet || nodes <= kube->fleet_nodes) /* there is one controller: it does not wait for a fleet of them */
        return;
    kube->fleet_nodes = HF_MIN(nodes, HF_RF_SPREAD_MAX_NS / HF_KUBE_SPREAD_EACH_NS);
    kube->spread_ns = HF_MAX(kube->spread_ns, kube->fleet_nodes * HF_KUBE_SPREAD_EACH_NS);
}

void hf_kube_arm_turn(struct hf_kube *kube)
{
    hf_timer_arm(kube->p.world.sched, kube->turn, 0);
}

void hf_kube_reauth(struct hf_kube *kube)
{
    uint64_t now = hf_kube_now_ns(kube);
    struct hf_err err = HF_ERR_INIT;

    if (kube->p.reauthenticate == NULL || (kube->last_reauth_ns != 0 && now - kube->last_reauth_ns < HF_KUBE_REAUTH_NS))
        return;
    kube->last_reauth_ns = now;
    if (kube->p.reauthenticate(kube->p.arg, &err) < 0)
        hf_log_err(kube->p.world.log, HF_LOG_WARNING, "kube.credentials", "server", kube->p.config->server, &err);
}

void hf_kube_second_hand(struct hf_kube *kube)
{
    uint64_t now = hf_kube_now_ns(kube);

    if (!kube->rules->speaks_for_itself || kube->hub.origin.is_hub || !kube->hub.origin.has_named)
        return;
    if (kube->hub.due_ns == 0) {
        kube->hub.wait_ns = HF_KUBE_REVIEW_NS;
        kube->hub.due_ns = now + kube->hub.wait_ns;
    }
    if (kube->hub.review != NULL || now < kube->hub.due_ns)
        return;
    kube->hub.wanted = true;
    hf_kube_arm_turn(kube);
}

void hf_kube_recognise_meta(struct hf_kube *kube, const char *sign)
{
    if (kube->p.api != HF_KUBE_AUTO || !kube->rules->speaks_for_itself || kube->switch_over)
        return;
    hf_log(kube->p.world.log, HF_LOG_INFO, "kube.metaserver", HF_S("server", kube->p.config->server),
           HF_S("sign", sign));
    kube->switch_over = true;
    hf_kube_arm_turn(kube);
}

struct hf_kube_subscription *hf_kube_next(struct hf_kube *kube, const struct hf_kube_subscription *sub)
{
    struct hf_list *it = sub != NULL ? sub->link.next : kube->subscriptions.next;

    for (; it != &kube->subscriptions; it = it->next) {
        struct hf_kube_subscription *found = hf_container_of(it, struct hf_kube_subscription, link);
        if (!found->dead)
            return found;
    }
    return NULL;
}

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

void hf_kube_count_request(struct hf_kube *kube, const char *verb, int r, const struct hf_http_response *response)
{
    char code[12] = "error";

    if (kube->metrics.requests == NULL)
        return;
    if (r == 0 && response != NULL)
        (void)snprintf(code, sizeof(code), "%d", response->status);
    hf_metric_add(hf_metric_with(kube->metrics.requests, HF_LABELS(verb, code)), 1);
}

void hf_kube_count_doubt(struct hf_kube *kube, const char *reason)
{
    if (kube->metrics.doubts != NULL)
        hf_metric_add(hf_metric_with(kube->metrics.doubts, HF_LABELS(reason)), 1);
}

void hf_kube_count_error(struct hf_kube *kube, const char *kind, enum hf_rf_event event)
{
    static const char *const reasons[HF_RF_EVENTS] = {
        [HF_RF_REFUSED] = "Invalid",
        [HF_RF_DENIED] = "Unauthorized",
        [HF_RF_DENIED_AGAIN] = "Unauthorized",
        [HF_RF_DISTRUST] = "Untrusted",
        [HF_RF_FORBIDDEN] = "Forbidden",
        [HF_RF_MISSING] = "NotFound",
        [HF_RF_BUSY] = "Busy",
        [HF_RF_LINK_AWAY] = "Timeout",
        [HF_RF_SERVER_AWAY] = "Unreachable",
        [HF_RF_GARBAGE] = "InvalidResponse",
    };

    if (event < HF_RF_EVENTS && reasons[event] != NULL)
        hf_metric_add(hf_metric_with(kube->metrics.errors, HF_LABELS(kind, reasons[event])), 1);
}

void hf_kube_set_contact(struct hf_kube *kube, bool proven)
{
    hf_metric_set(kube->metrics.contact, proven ? 1 : 0);
}

/* ---- signs of life ---------------------------------------------------------------------------------------------- */

void hf_kube_arm_pulse(struct hf_kube *kube)
{
    uint64_t due = hf_pulse_overdue_ns(&kube->silence.pulse), now = hf_kube_now_ns(kube);

    if (due == HF_NEVER)
        hf_timer_disarm(kube->p.world.sched, kube->silence.timer);
    else
        hf_timer_arm(kube->p.world.sched, kube->silence.timer, due > now ? due - now : 0);
}

void hf_kube_alive(struct hf_kube *kube)
{
    kube->silence.heard_ns = hf_kube_now_ns(kube);
}

void hf_kube_heard(struct hf_kube *kube)
{
    bool waiting = hf_pulse_overdue_ns(&kube->silence.pulse) != HF_NEVER;

    if (!kube->rules->speaks_for_itself)
        return;
    hf_kube_alive(kube);
    hf_pulse_heard(&kube->silence.pulse, hf_kube_now_ns(kube));
    if (!waiting) /* a timer that runs notices by itself that it is too early */
        hf_kube_arm_pulse(kube);
}
