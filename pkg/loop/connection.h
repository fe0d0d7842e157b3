/* SPDX-License-Identifier: Apache-2.0 */
/* A connection over TCP or TLS, for protocols other than HTTP.
 *
 * TLS is 1.2 or newer, trusts the system's store or `ca_pem`, and checks the peer's name. The event loop calls the
 * callbacks, but none after `closed` or hf_connection_close(). */
#pragma once

#include "loop/loop.h"

/* HF_CONNECTION_CONNECT_S: seconds until `opened`, at most. */
enum { HF_CONNECTION_MAX_SEND = 256 << 10, HF_CONNECTION_CONNECT_S = 15 };

struct hf_connection;

struct hf_connection_params {
    const char *host; /* copied */
    uint16_t port;
    bool tls;
    const char *ca_pem; /* authorities; NULL: the system's store */
    void (*opened)(void *arg);
    void (*received)(void *arg, const void *bytes, size_t n);
    /* Opening failed, or the connection ended: -ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH (unknown name or unreachable
     * host), -EKEYREJECTED (TLS), -EPIPE (by the peer), others. The owner still calls hf_connection_close(). */
    void (*closed)(void *arg, int r, const struct hf_err *err);
    void *arg;
};

HF_MUST_USE int hf_connection_open(struct hf_loop *loop, const struct hf_connection_params *params,
                                   struct hf_connection **ret_connection, struct hf_err *err);
/* Drops unsent bytes. Accepts NULL. */
void hf_connection_close(struct hf_connection *connection);

/* Copies the bytes. -E2BIG: more than HF_CONNECTION_MAX_SEND would wait. -ENOTCONN: not open. */
HF_MUST_USE int hf_connection_send(struct hf_connection *connection, const void *bytes, size_t n);
void hf_connection_pause(struct hf_connection *connection, bool paused);
