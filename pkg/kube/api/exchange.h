/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP call to the API. May be closed at any moment, also inside callbacks; freed after `ended`, or when closed. */
#pragma once

#include "kube/rules/origin.h"
#include "loop/http/http.h"

/* bytes kept of an error's body */
enum { HF_EXCHANGE_MAX_ERROR = 64 << 10 };

struct hf_exchange;

struct hf_exchange_owner {
    /* A 2xx begins. -errno ends the call with it. May be NULL. */
    int (*accepted)(void *arg, const struct hf_http_response *response);
    /* A piece of a 2xx body; result as above. NULL: the exchange collects it. */
    int (*bytes)(void *arg, const void *bytes, size_t n);
    /* `r`: as loop/http/http.h, or -ENOLINK: second-hand. `response` NULL: no answer, or second-hand. `body`:
     * collected, or another answer's beginning. */
    void (*ended)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                  const struct hf_err *err);
    void *arg;
    /* (rules/origin.h); borrowed. NULL: no check. */
    struct hf_origin *origin;
};

/* Copies `request`. max_body_bytes 0: collects HF_EXCHANGE_MAX_ERROR, more is -E2BIG. After -errno no `ended`. */
HF_MUST_USE int hf_exchange_start(const struct hf_http_ops *http, const struct hf_http_request *request,
                                  const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange,
                                  struct hf_err *err);

/* Without callbacks. Accepts NULL. */
void hf_exchange_close(struct hf_exchange *exchange);
