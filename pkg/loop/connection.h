/* loop/connection.h - a connection to a peer as bytes, over TCP or TLS, for protocols other than HTTP.
 *
 * Workers resolve names. TLS is 1.2 or newer, trusts the system's store or the given one, and checks the name.
 * Threads: loop thread only. No callback runs inside a call to these functions; nothing is called after `closed` or
 * hf_connection_close(). */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

enum { HF_CONNECTION_MAX_SEND = 256 << 10, HF_CONNECTION_CONNECT_S = 15 };

struct hf_connection;

struct hf_connection_params {
    const char *host; /* name or address; copied */
    uint16_t port;
    bool tls;
    const char *ca_pem; /* PEM of the only certificates to trust; NULL: the system's store */
    void (*opened)(void *arg);
    void (*received)(void *arg, const void *bytes, size_t n);
    /* Called when the connection could not open or has ended: -ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH (name),
     * -EKEYREJECTED (TLS), -EPIPE (the peer ended it). Close it. */
    void (*closed)(void *arg, int r, const struct hf_err *err);
    void *arg;
};

HF_MUST_USE int hf_connection_open(struct hf_loop *loop, const struct hf_connection_params *params,
                                   struct hf_connection **ret_connection, struct hf_err *err);
void hf_connection_close(struct hf_connection *connection); /* NULL is fine; drops unsent bytes */

/* Copies; sends when the socket accepts it. -E2BIG: more than HF_CONNECTION_MAX_SEND bytes would wait. -ENOTCONN:
 * not open. */
HF_MUST_USE int hf_connection_send(struct hf_connection *connection, const void *bytes, size_t n);
void hf_connection_pause(struct hf_connection *connection, bool paused); /* stops or resumes receiving */
