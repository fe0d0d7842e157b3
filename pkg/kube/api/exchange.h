/* kube/api/exchange.h - one HTTP call to the API whose owner may close it at any moment, also from inside the call's
 * own callbacks (where loop/http.h does not allow cancel()). Private to pkg/kube.
 *
 * Threads: loop thread only. Memory: an exchange frees itself after `ended`, or in hf_exchange_close(). */
#pragma once

#include "loop/http/http.h"

enum { HF_EXCHANGE_MAX_ERROR = 64 << 10 }; /* bytes kept of an error's body */

struct hf_exchange;

struct hf_exchange_owner {
    /* A 2xx answer begins. 0, or -errno to end the call with it. May be NULL. */
    int (*accepted)(void *arg, const struct hf_http_response *response);
    /* A piece of a 2xx body; NULL: the exchange collects it. 0, or -errno to end the call with it. */
    int (*bytes)(void *arg, const void *bytes, size_t n);
    /* Called at the end; the exchange then frees itself. r as in loop/http.h; response is NULL when none came. body:
     * the collected one, or the beginning of an error's. */
    void (*ended)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                  const struct hf_err *err);
    void *arg;
};

/* Starts `request`, which has no callbacks of its own. 0 and *ret_exchange, or -errno (then `ended` does not come). */
HF_MUST_USE int hf_exchange_start(const struct hf_http_ops *http, const struct hf_http_request *request,
                                  const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange,
                                  struct hf_err *err);

/* Ends the call without any further callback; the owner must forget the pointer. Accepts NULL. */
void hf_exchange_close(struct hf_exchange *exchange);
