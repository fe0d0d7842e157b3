/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>

#include "kube/api/client.h"

/* at least, from knock to first watch */
#define HF_KUBE_FILL_NS HF_NS_PER_S

/* From this size on the nodes together knock for every kind before the first watch. */
enum { HF_KUBE_KNOCK_FLEET = 256 };

static uint64_t count_waiting(struct hf_kube *kube)
{
    uint64_t n = 0;

    while (hf_kube_return_waiting(kube, n) != NULL)
        n++;
    return n;
}

static int drop_bytes(HF_UNUSED void *arg, HF_UNUSED const void *bytes, HF_UNUSED size_t n)
{
    return 0;
}

/* What the answer means for the subscription. HF_RF_EVENTS: nothing, the server serves. */
static enum hf_rf_event judge(struct hf_kube_subscription *sub, int r, const struct hf_http_response *response,
                              struct hf_view body, struct hf_err *err)
{
    enum hf_rf_event event = HF_RF_EVENTS;
    char text[150];

    if (r < 0)
        return hf_reflector_event_of_error(r);
    if (response->status >= 300)
        event = hf_reflector_event_of_status(response->status);
    (void)hf_err_set(err, hf_kube_status_errno(response->status), "the server answered %d: %s", response->status,
                     hf_kube_status_message(body, text, sizeof(text)));
    return hf_kube_return_is_early(sub, event) ? HF_RF_SERVER_AWAY : event;
}

/* For which subscription the client knocks next; NULL: for none. */
static const struct hf_kube_subscription *next_knock(struct hf_kube *kube)
{
    unsigned knocks = kube->back.knocks;

    if (kube->fleet_nodes < HF_KUBE_KNOCK_FLEET)
        return hf_kube_return_waiting(kube, knocks);
    return knocks == 0 ? hf_kube_return_waiting(kube, hf_rand_below(kube->p.world.rng, HF_MAX(count_waiting(kube), 1u)))
                       : NULL;
}

static void knock_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                        const struct hf_err *why);

/* Knocks; or lines up all, the first of them after `at_ns`. */
static void go_on(struct hf_kube *kube, uint64_t at_ns)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(HF_RESOURCE_MAX_URL);
    const struct hf_kube_subscription *sub = next_knock(kube);
    struct hf_kube_return *back = &kube->back;

    assert(back->knock == NULL);
    if (sub == NULL || hf_resource_knock_url(kube->p.config->server, sub->resource, sub->name, &url) < 0) {
        hf_kube_return_line_up(kube, at_ns);
        return;
    }
    struct hf_http_request request = {.method = "GET",
                                      .url = hf_buf_str(&url),
                                      .timeout_ns = HF_RF_ANSWER_NS,
                                      .max_body_bytes = HF_KUBE_MAX_LIST_BYTES};
    const struct hf_exchange_owner owner = {
        .bytes = drop_bytes, .ended = knock_ended, .arg = kube, .origin = &kube->hub.origin};
    back->state = HF_RETURN_KNOCKING;
    back->at_ns = hf_kube_now_ns(kube);
    if (hf_exchange_start(kube->p.http, &request, &owner, &back->knock, NULL) < 0)
        hf_kube_return_line_up(kube, at_ns);
}

/* A server that refuses for another reason than its start says so to each subscription. */
static void knock_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                        const struct hf_err *why)
{
    struct hf_kube *kube = arg;
    struct hf_kube_return *back = &kube->back;
    struct hf_kube_subscription *sub = hf_kube_return_waiting(kube, 0);
    struct hf_err err = HF_ERR_INIT;

    back->knock = NULL;
    hf_kube_count_request(kube, "knock", r, response);
    if (r == -ENOLINK)
        hf_kube_second_hand(kube);
    if (sub == NULL) {
        hf_kube_return_forget(kube);
        return;
    }
    enum hf_rf_event event = judge(sub, r, response, body, &err);
    if (event == HF_RF_SERVER_AWAY || event == HF_RF_LINK_AWAY) {
        hf_kube_return_forget(kube);
        hf_kube_dispatch(sub, event, response != NULL ? response->retry_after_ns : 0, r < 0 ? why : &err);
        if (back->state == HF_RETURN_READY && hf_kube_return_waiting(kube, 0) != NULL)
            hf_kube_return_wait(kube,
                                HF_RF_ANSWER_NS); /* the one subscription now asks by itself; the others follow it */
        return;
    }
    back->knocks++;
    go_on(kube, HF_MAX(hf_kube_return_step_ns(kube), HF_KUBE_FILL_NS));
}

void hf_kube_knock_timer(void *arg)
{
    go_on(arg, HF_RF_FLOOR_NS);
}
