/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/api/exchange.h"

#include <errno.h>

struct hf_exchange {
    const struct hf_http_ops *http;
    struct hf_http_call *call;
    struct hf_exchange_owner owner;
    struct hf_buf body; /* collected, or the beginning of an error's */
    bool good;          /* 2xx */
    bool answered;
    bool second_hand; /* the answer is second-hand (kube/rules/origin.h) */
    bool inside;      /* a callback of the call is on the stack */
    bool abandoned;   /* its owner closed it while inside */
};

static void exchange_free(struct hf_exchange *exchange)
{
    hf_buf_wipe(&exchange->body); /* it may hold a Secret */
    free(exchange);
}

static int on_response(void *arg, const struct hf_http_response *response)
{
    struct hf_exchange *exchange = arg;

    const struct hf_origin_answer answer = {
        .status = response->status, .has_audit_id = response->has_audit_id, .content_type = response->content_type};

    exchange->second_hand = exchange->owner.origin != NULL && hf_origin_is_second_hand(exchange->owner.origin, &answer);
    if (exchange->second_hand)
        return -ENOLINK;
    exchange->good = response->status >= 200 && response->status < 300;
    exchange->answered = true;
    if (!exchange->good || exchange->owner.accepted == NULL)
        return 0;
    exchange->inside = true;
    int r = exchange->owner.accepted(exchange->owner.arg, response);
    exchange->inside = false;
    return exchange->abandoned ? -ECANCELED : r;
}

static int keep_error(struct hf_exchange *exchange, const void *bytes, size_t n)
{
    size_t room = exchange->body.n < HF_EXCHANGE_MAX_ERROR ? HF_EXCHANGE_MAX_ERROR - exchange->body.n : 0;

    return hf_buf_add(&exchange->body, bytes, HF_MIN(n, room));
}

static int on_body(void *arg, const void *bytes, size_t n)
{
    struct hf_exchange *exchange = arg;

    if (!exchange->good)
        return keep_error(exchange, bytes, n);
    if (exchange->owner.bytes == NULL)
        return hf_buf_add(&exchange->body, bytes, n);
    exchange->inside = true;
    int r = exchange->owner.bytes(exchange->owner.arg, bytes, n);
    exchange->inside = false;
    return exchange->abandoned ? -ECANCELED : r;
}

static void on_done(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                    const struct hf_err *err)
{
    struct hf_exchange *exchange = arg;
    struct hf_err second_hand = HF_ERR_INIT;

    (void)body;
    exchange->call = NULL;
    if (r == -ENOLINK && exchange->second_hand) {
        (void)hf_err_set(
            &second_hand, ENOLINK,
            "an answer %d without the header Audit-Id of an API server: it comes from a cache on this node, "
            "such as YurtHub, or a gateway removes the header",
            response != NULL ? response->status : 0);
        err = &second_hand;
    }
    exchange->inside = true;
    if (!exchange->abandoned)
        exchange->owner.ended(exchange->owner.arg, r, exchange->answered ? response : NULL,
                              hf_buf_view(&exchange->body), err);
    exchange_free(exchange);
}

int hf_exchange_start(const struct hf_http_ops *http, const struct hf_http_request *request,
                      const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange, struct hf_err *err)
{
    struct hf_exchange *exchange = calloc(1, sizeof(*exchange));

    if (exchange == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *exchange = (struct hf_exchange){.http = http, .owner = *owner};
    exchange->body.max =
        (size_t)HF_MIN(HF_MAX(request->max_body_bytes, (uint64_t)HF_EXCHANGE_MAX_ERROR), (uint64_t)SIZE_MAX);
    struct hf_http_request full = *request;
    full.on_response = on_response;
    full.on_body = on_body;
    full.done = on_done;
    full.arg = exchange;
    int r = http->start(http->ctx, &full, &exchange->call, err);
    if (r < 0) {
        exchange_free(exchange);
        return r;
    }
    *ret_exchange = exchange;
    return 0;
}

void hf_exchange_close(struct hf_exchange *exchange)
{
    if (exchange == NULL)
        return;
    exchange->abandoned = true;
    if (exchange->inside) /* it ends, and frees itself, when its callback returns */
        return;
    exchange->http->cancel(exchange->http->ctx, exchange->call);
    exchange_free(exchange);
}
