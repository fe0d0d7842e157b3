/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/api/silence.h"

#include <errno.h>

#include "api/meta.h"
#include "kube/api/client.h"

#define HF_KUBE_PING_NS (12 * HF_NS_PER_S) /* of a ping */

/* Any answer shows that the server is there, except a 5xx of a proxy in front of a server that names its answers. */
static void ping_ended(void *arg, int r, const struct hf_http_response *response, HF_UNUSED struct hf_view body,
                       const struct hf_err *why)
{
    struct hf_kube *kube = arg;
    struct hf_err err = HF_ERR_INIT;

    kube->silence.ping = NULL;
    hf_kube_count_request(kube, "ping", r, response);
    if (r == -ENOLINK)
        hf_kube_second_hand(kube);
    if (r < 0 && why != NULL)
        err = *why;
    if (r == 0 && hf_origin_is_proxy_failure(&kube->hub.origin, response->status, response->has_audit_id))
        r = hf_err_set(&err, ENOLINK, "a proxy answered %d: it does not reach the API server", response->status);
    if (r == 0) {
        if (kube->rules->speaks_for_itself)
            hf_kube_alive(kube);
        hf_pulse_answered(&kube->silence.pulse, hf_kube_now_ns(kube));
        hf_kube_arm_pulse(kube);
        return;
    }
    /* A server that ends resets the ping, too. Only a proxy that does not reach it leaves that open. */
    enum hf_rf_event event = r == -ENOLINK ? HF_RF_LINK_AWAY : hf_reflector_event_of_error(r);
    hf_pulse_reset(&kube->silence.pulse);
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

void hf_kube_pulse_timer(void *arg)
{
    struct hf_kube *kube = arg;
    struct hf_exchange_owner owner = {.ended = ping_ended, .arg = kube, .origin = &kube->hub.origin};
    bool may_be_hub = kube->hub.origin.is_hub || kube->hub.origin.was_second_hand;
    /* YurtHub answers /version by itself, and passes on questions about a group. */
    _cleanup_(hf_freep) char *url =
        hf_asprintf("%s%s", kube->p.config->server, may_be_hub ? "/apis/" HF_API_GROUP_VERSION : "/version");
    struct hf_http_request request = {.method = "GET", .url = url, .timeout_ns = HF_KUBE_PING_NS};
    bool watching = false;

    if (hf_kube_now_ns(kube) < hf_pulse_overdue_ns(&kube->silence.pulse)) {
        hf_kube_arm_pulse(kube);
        return;
    }
    if (is_listing(kube)) {
        hf_timer_arm(kube->p.world.sched, kube->silence.timer, HF_PULSE_FIRST_NS);
        return;
    }
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        watching |= sub->reflector.state == HF_RF_WATCHING;
    if (!watching || url == NULL || kube->silence.ping != NULL ||
        hf_exchange_start(kube->p.http, &request, &owner, &kube->silence.ping, NULL) < 0)
        hf_pulse_reset(&kube->silence.pulse);
}
