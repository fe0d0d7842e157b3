/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP call to the API. It may be closed at any moment, also inside callbacks; it is freed after `ended`, or when
 * closed. */
#pragma once

#include "kube/rules/origin.h"
#include "loop/http/http.h"

/* bytes kept of an error's body */
enum { HF_EXCHANGE_MAX_ERROR = 64 << 10 };

struct hf_exchange;

struct hf_exchange_owner {
    /* A 2xx begins; a returned -errno ends the call. May be NULL. */
    int (*accepted)(void *arg, const struct hf_http_response *response);
    /* A piece of a 2xx body; returns as `accepted`. NULL: the body is collected. */
    int (*bytes)(void *arg, const void *bytes, size_t n);
    /* `r`: as in loop/http/http.h, or -ENOLINK: the answer is second-hand. `response` NULL: no answer, or a second-hand
     * one. `body`: of a 2xx, collected; of another answer, its beginning. */
    void (*ended)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                  const struct hf_err *err);
    void *arg;
    /* borrowed; recognises second-hand answers. NULL: no check */
    struct hf_origin *origin;
};

/* Copies `request`. max_body_bytes 0: collects HF_EXCHANGE_MAX_ERROR. After -errno `ended` is not called. */
HF_MUST_USE int hf_exchange_start(const struct hf_http_ops *http, const struct hf_http_request *request,
                                  const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange,
                                  struct hf_err *err);

/* No callback follows. Accepts NULL. */
void hf_exchange_close(struct hf_exchange *exchange);
