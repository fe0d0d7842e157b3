/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/exchange.h - one HTTP call to the API. The owner of the call may close it at any moment, even inside the
 * call's own callbacks. Private to pkg/kube.
 *
 * Threads: loop thread only. Memory: an exchange frees itself after `ended`, or when its owner has closed it. */
#pragma once

#include "kube/rules/origin.h"
#include "loop/http/http.h"

/* Maximum number of bytes that the exchange keeps of the body of an answer that is not 2xx. */
enum { HF_EXCHANGE_MAX_ERROR = 64 << 10 };

struct hf_exchange;

struct hf_exchange_owner {
    /* Called when a 2xx answer begins. The owner returns 0, or -errno to end the call with that error. May be NULL. */
    int (*accepted)(void *arg, const struct hf_http_response *response);
    /* Called for each piece of the body of a 2xx answer. The owner returns 0, or -errno to end the call with that
     * error. If the pointer is NULL, the exchange collects the body. */
    int (*bytes)(void *arg, const void *bytes, size_t n);
    /* Called at the end of the call; the exchange then frees itself. `r` is one of the results in loop/http/http.h, or
     * -ENOLINK for a second-hand answer (see `origin`). `response` is NULL if no answer came or if the answer is
     * second-hand. `body` is the collected body of a 2xx answer (empty if the owner has `bytes`), or the beginning of
     * the body of any other answer. */
    void (*ended)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                  const struct hf_err *err);
    void *arg;
    /* What earlier answers of the server showed about their origin; borrowed. NULL means that the exchange does not
     * check the origin. If the answer is second-hand (kube/rules/origin.h), the call ends with -ENOLINK, and `ended`
     * gets the reason. */
    struct hf_origin *origin;
};

/* Starts a copy of `request`, in which the exchange has replaced the callbacks by its own. If request->max_body_bytes
 * is 0, a collected body longer than HF_EXCHANGE_MAX_ERROR ends the call with -E2BIG. Returns 0 and sets *ret_exchange,
 * or returns -errno and does not call `ended`. */
HF_MUST_USE int hf_exchange_start(const struct hf_http_ops *http, const struct hf_http_request *request,
                                  const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange,
                                  struct hf_err *err);

/* Ends the call without any further callback, and frees the exchange. If a callback of the exchange calls this
 * function, the exchange frees itself when the callback has returned. Accepts NULL. */
void hf_exchange_close(struct hf_exchange *exchange);
