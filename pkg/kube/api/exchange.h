/* kube/api/exchange.h - one HTTP call to the API with an owner that may lose interest at any moment, also from inside the call's
 * own callbacks (where http.h does not promise that cancel() is allowed). Private to pkg/kube. */
#pragma once

#include "loop/http/http.h"

enum { HF_EXCHANGE_MAX_ERROR = 64 << 10 }; /* of an error's body; the rest is not kept */

struct hf_exchange;

struct hf_exchange_owner {
    /* A 2xx answer begins. 0, or -errno to end the call with it. May be NULL. */
    int (*accepted)(void *arg, const struct hf_http_response *response);
    /* A piece of a 2xx body; NULL: it is collected. 0, or -errno to end the call with it. */
    int (*bytes)(void *arg, const void *bytes, size_t n);
    /* The end; the exchange is freed. r as in loop/http.h; response is NULL when none came. body: the collected one, or the
     * beginning of an error's. */
    void (*ended)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                  const struct hf_err *err);
    void *arg;
};

/* `request` without callbacks. 0 and *ret_exchange, or -errno (then `ended` is not called). */
HF_MUST_USE int hf_exchange_start(const struct hf_http_ops *http, const struct hf_http_request *request,
                                  const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange,
                                  struct hf_err *err);

/* Nothing is called any more, and the exchange is gone for the owner. NULL is fine. */
void hf_exchange_close(struct hf_exchange *exchange);
