/* SPDX-License-Identifier: Apache-2.0 */
/* loop/connection.h - sends and receives bytes over TCP or TLS, for protocols other than HTTP.
 *
 * Worker threads resolve names. TLS is 1.2 or newer, trusts the system's certificate store or `ca_pem`, and checks the
 * peer's name. Threads: loop thread only. These functions never run a callback before they return. After `closed` or
 * hf_connection_close(), no callback comes. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

/* HF_CONNECTION_CONNECT_S is the limit in seconds from hf_connection_open() until `opened`. */
enum { HF_CONNECTION_MAX_SEND = 256 << 10, HF_CONNECTION_CONNECT_S = 15 };

struct hf_connection;

struct hf_connection_params {
    const char *host; /* name or address; copied */
    uint16_t port;
    bool tls;
    const char *ca_pem; /* PEM of the certificate authorities to trust (NULL means the system's store) */
    void (*opened)(void *arg);
    void (*received)(void *arg, const void *bytes, size_t n);
    /* Called when the connection could not open or has ended. `r` is -ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH (unknown
     * name or no route), -EKEYREJECTED (the TLS handshake failed), -EPIPE (the peer ended the connection) or another
     * -errno, such as -ECONNRESET or -ENOMEM. The owner must still call hf_connection_close(). */
    void (*closed)(void *arg, int r, const struct hf_err *err);
    void *arg;
};

HF_MUST_USE int hf_connection_open(struct hf_loop *loop, const struct hf_connection_params *params,
                                   struct hf_connection **ret_connection, struct hf_err *err);
/* Closes and frees `connection`, which may be NULL. Drops unsent bytes. */
void hf_connection_close(struct hf_connection *connection);

/* Copies the bytes, and sends them when the socket accepts them. -E2BIG: more than HF_CONNECTION_MAX_SEND bytes would
 * wait to be sent. -ENOTCONN: the connection is not open. -ENOMEM: out of memory. */
HF_MUST_USE int hf_connection_send(struct hf_connection *connection, const void *bytes, size_t n);
/* Stops receiving if `paused` is true, otherwise resumes receiving. */
void hf_connection_pause(struct hf_connection *connection, bool paused);
