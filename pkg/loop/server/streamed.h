/* SPDX-License-Identifier: Apache-2.0 */
/* A local HTTP server of answers without limit: the owner sends head and bytes as they come.
 *
 * A connection is for one request without a body, then closed. No callback comes inside a function of this file. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

enum {
    HF_STREAMED_CONNECTIONS = 32,
    HF_STREAMED_HEAD = 8192,                         /* bytes of a request */
    HF_STREAMED_HEAD_S = 10,                         /* to arrive */
    HF_STREAMED_IDLE_S = 120,                        /* for the client to take a byte */
    HF_STREAMED_AHEAD = 64 << 10,                    /* waiting; above, the owner should pause */
    HF_STREAMED_MOST = (4 << 20) + HF_STREAMED_HEAD, /* may wait: the largest manifest, with head */
};

struct hf_streamed;
struct hf_streamed_exchange; /* a request; freed after `gone`, _end() or _abort() */

struct hf_streamed_params {
    const char *address; /* numeric */
    uint16_t port;       /* 0: any */
    /* `head`: with its empty line, during the call. Then hf_streamed_attend(), or end the exchange, here or later. */
    void (*asked)(void *arg, struct hf_streamed_exchange *exchange, struct hf_view head);
    /* Only with an owner. drained: the client took all, after a _send() that returned 1. gone: the exchange ended, and
     * is freed next. */
    void (*drained)(void *owner);
    void (*gone)(void *owner);
    void *arg;
};

/* -EADDRINUSE, -EACCES; -EINVAL: not an address. */
HF_MUST_USE int hf_streamed_new(struct hf_loop *loop, const struct hf_streamed_params *params,
                                struct hf_streamed **ret_server, struct hf_err *err);
uint16_t hf_streamed_port(const struct hf_streamed *server);
/* All exchanges get `gone`. */
void hf_streamed_free(struct hf_streamed *server);
/* Bytes of memory for what waits for clients. */
size_t hf_streamed_holds(const struct hf_streamed *server);

/* Sets the `owner` for `drained` and `gone`. */
void hf_streamed_attend(struct hf_streamed_exchange *exchange, void *owner);
/* Copies. 1: above HF_STREAMED_AHEAD: pause until `drained`. -E2BIG, -ENOMEM: took nothing. */
HF_MUST_USE int hf_streamed_send(struct hf_streamed_exchange *exchange, const void *bytes, size_t n);
/* Closes after the waiting bytes. */
void hf_streamed_end(struct hf_streamed_exchange *exchange);
/* Closes now: the client must not take the answer for whole. */
void hf_streamed_abort(struct hf_streamed_exchange *exchange);
