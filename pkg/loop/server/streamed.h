/* SPDX-License-Identifier: Apache-2.0 */
/* A local HTTP server whose answers have no limit of length: the owner sends the head and the bytes as they come, and
 * is told when the client has taken them.
 *
 * A connection is for one request without a body, and is closed after the answer. No callback comes from within a
 * function of this file. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

enum {
    HF_STREAMED_CONNECTIONS = 32,
    HF_STREAMED_HEAD = 8192,      /* bytes of a request */
    HF_STREAMED_HEAD_S = 10,      /* for the request to arrive */
    HF_STREAMED_IDLE_S = 120,     /* for the client to take a byte */
    HF_STREAMED_AHEAD = 64 << 10, /* bytes that wait, above which the owner should stop sending */
    HF_STREAMED_MOST =
        (4 << 20) + HF_STREAMED_HEAD, /* bytes that may wait: a manifest of images, at its bound, and its head */
};

struct hf_streamed;
struct hf_streamed_exchange; /* one request; the server frees it after `gone`, or after _end() or _abort() */

struct hf_streamed_params {
    const char *address; /* numeric */
    uint16_t port;       /* 0: any free one */
    /* The head with its empty line, valid during the call. The owner attends to it, or ends it, here or later. */
    void (*asked)(void *arg, struct hf_streamed_exchange *exchange, struct hf_view head);
    /* For an exchange that has an owner. drained: the client took all that waited. gone: the client has gone, and the
     * exchange with it. */
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

/* From now on `drained` and `gone` of this exchange get `owner`. */
void hf_streamed_attend(struct hf_streamed_exchange *exchange, void *owner);
/* Copies. 1: more than HF_STREAMED_AHEAD bytes wait, stop until `drained`. -E2BIG, -ENOMEM: nothing was taken. */
HF_MUST_USE int hf_streamed_send(struct hf_streamed_exchange *exchange, const void *bytes, size_t n);
/* Closes the connection after the bytes that wait. */
void hf_streamed_end(struct hf_streamed_exchange *exchange);
/* Closes it now, so that the client does not take the answer for a whole one. */
void hf_streamed_abort(struct hf_streamed_exchange *exchange);
