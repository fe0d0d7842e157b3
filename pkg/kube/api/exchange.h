/* kube/api/exchange.h - one HTTP call to the API. Its owner may close the call at any moment, also inside the call's
 * own callbacks, where loop/http/http.h does not allow cancel(). Private to pkg/kube.
 *
 * Threads: loop thread only. Memory: an exchange frees itself after `ended`, or in hf_exchange_close(). */
#pragma once

#include "loop/http/http.h"

enum { HF_EXCHANGE_MAX_ERROR = 64 << 10 }; /* how many bytes the exchange keeps of a body that is not a 2xx answer */

struct hf_exchange;

struct hf_exchange_owner {
    /* Called when a 2xx answer begins. Return 0, or -errno to end the call with that error. May be NULL. */
    int (*accepted)(void *arg, const struct hf_http_response *response);
    /* Called for each piece of a 2xx body. Return 0, or -errno to end the call with that error. If NULL, the exchange
     * collects the body. */
    int (*bytes)(void *arg, const void *bytes, size_t n);
    /* Called at the end of the call; the exchange then frees itself. r is that of loop/http/http.h; response is NULL
     * if none came. `body` is the collected 2xx body, or the beginning of any other body. */
    void (*ended)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                  const struct hf_err *err);
    void *arg;
};

/* Starts `request`; the exchange sets the callbacks of the request. Returns 0 and *ret_exchange. On failure returns
 * -errno, and does not call `ended`. */
HF_MUST_USE int hf_exchange_start(const struct hf_http_ops *http, const struct hf_http_request *request,
                                  const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange,
                                  struct hf_err *err);

/* Ends the call without any further callback; the owner must forget the pointer. Accepts NULL. */
void hf_exchange_close(struct hf_exchange *exchange);
