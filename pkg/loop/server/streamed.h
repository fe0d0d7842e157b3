/* SPDX-License-Identifier: Apache-2.0 */
/* A local HTTP server of answers without limit: the owner sends the head and the bytes as they come.
 *
 * A connection is for one request without a body, then closed. No callback comes inside a function of this file,
 * except hf_streamed_free(). */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

enum {
    HF_STREAMED_CONNECTIONS = 32,
    HF_STREAMED_HEAD = 8192,                         /* bytes of a request */
    HF_STREAMED_HEAD_S = 10,                         /* seconds for a request to arrive */
    HF_STREAMED_IDLE_S = 120,                        /* seconds for the client to take a byte */
    HF_STREAMED_AHEAD = 64 << 10,                    /* bytes that wait; if more, the owner should pause */
    HF_STREAMED_MOST = (4 << 20) + HF_STREAMED_HEAD, /* bytes that may wait at most */
};

struct hf_streamed;
struct hf_streamed_exchange; /* a request; freed after `gone`, _end() or _abort(); any time if unattended */

struct hf_streamed_params {
    const char *address; /* numeric */
    uint16_t port;       /* 0: any */
    /* `head`, with its empty line, is valid during the call. Call hf_streamed_attend(), or end the exchange, now or
     * later. */
    void (*asked)(void *arg, struct hf_streamed_exchange *exchange, struct hf_view head);
    /* Called if there is an owner. drained: the client took all, after an hf_streamed_send() that returned 1. gone: the
     * exchange is freed next. */
    void (*drained)(void *owner);
    void (*gone)(void *owner);
    void *arg;
};

/* -EADDRINUSE, -EACCES; -EINVAL: not an address. */
HF_MUST_USE int hf_streamed_new(struct hf_loop *loop, const struct hf_streamed_params *params,
                                struct hf_streamed **ret_server, struct hf_err *err);
uint16_t hf_streamed_port(const struct hf_streamed *server);
/* Ends all exchanges, with `gone`. */
void hf_streamed_free(struct hf_streamed *server);
size_t hf_streamed_holds(const struct hf_streamed *server);

/* Sets the owner that `drained` and `gone` get. */
void hf_streamed_attend(struct hf_streamed_exchange *exchange, void *owner);
/* Copies the bytes. Returns 1 above HF_STREAMED_AHEAD: pause until `drained`. -E2BIG, -ENOMEM: nothing was taken. */
HF_MUST_USE int hf_streamed_send(struct hf_streamed_exchange *exchange, const void *bytes, size_t n);
/* Closes the connection after the waiting bytes. */
void hf_streamed_end(struct hf_streamed_exchange *exchange);
/* Resets the connection, so that the client does not take the answer for whole. */
void hf_streamed_abort(struct hf_streamed_exchange *exchange);
