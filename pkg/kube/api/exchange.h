/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/exchange.h - one HTTP call to the API. Its owner may close it at any moment, even inside its callbacks; it
 * frees itself after `ended`, or when closed. Private to pkg/kube. */
#pragma once

#include "kube/rules/origin.h"
#include "loop/http/http.h"

/* bytes kept of the body of an answer that is not 2xx */
enum { HF_EXCHANGE_MAX_ERROR = 64 << 10 };

struct hf_exchange;

struct hf_exchange_owner {
    /* A 2xx answer begins. -errno ends the call with that error. May be NULL. */
    int (*accepted)(void *arg, const struct hf_http_response *response);
    /* A piece of the body of a 2xx answer; result as above. NULL: the exchange collects the body. */
    int (*bytes)(void *arg, const void *bytes, size_t n);
    /* The end. `r`: a result of loop/http/http.h, or -ENOLINK for a second-hand answer. `response`: NULL if no answer
     * came, or a second-hand one. `body`: what was collected of a 2xx answer, or the beginning of another one. */
    void (*ended)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                  const struct hf_err *err);
    void *arg;
    /* What earlier answers of the server showed about their origin (kube/rules/origin.h); borrowed. NULL: no check. */
    struct hf_origin *origin;
};

/* Starts a copy of `request` with the exchange's callbacks. If request->max_body_bytes is 0, a collected body above
 * HF_EXCHANGE_MAX_ERROR ends the call with -E2BIG. After -errno, `ended` is not called. */
HF_MUST_USE int hf_exchange_start(const struct hf_http_ops *http, const struct hf_http_request *request,
                                  const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange,
                                  struct hf_err *err);

/* Without any further callback. Accepts NULL. */
void hf_exchange_close(struct hf_exchange *exchange);
