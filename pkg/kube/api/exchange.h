/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP call to the API. May be closed at any moment, also inside callbacks; freed after `ended`, or when closed. */
#pragma once

#include "kube/rules/origin.h"
#include "loop/http/http.h"

/* bytes kept of an error's body */
enum { HF_EXCHANGE_MAX_ERROR = 64 << 10 };

struct hf_exchange;

struct hf_exchange_owner {
    /* A 2xx begins. A returned -errno ends the call. NULL: no callback. */
    int (*accepted)(void *arg, const struct hf_http_response *response);
    /* A piece of a 2xx body; returns as `accepted`. NULL: the exchange collects it. */
    int (*bytes)(void *arg, const void *bytes, size_t n);
    /* `r`: as loop/http/http.h, or -ENOLINK: second-hand. `response` NULL: no answer, or second-hand. `body`: collected
     * 2xx, or the beginning of another answer's. */
    void (*ended)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                  const struct hf_err *err);
    void *arg;
    /* borrowed. NULL: no check. */
    struct hf_origin *origin;
};

/* Copies `request`. max_body_bytes 0: collects HF_EXCHANGE_MAX_ERROR, more is -E2BIG. After -errno no `ended`. */
HF_MUST_USE int hf_exchange_start(const struct hf_http_ops *http, const struct hf_http_request *request,
                                  const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange,
                                  struct hf_err *err);

/* No callback follows. Accepts NULL. */
void hf_exchange_close(struct hf_exchange *exchange);
