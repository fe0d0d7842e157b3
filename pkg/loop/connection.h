/* loop/stream.h - a connection to a peer as bytes, over TCP or TLS: for protocols that are not HTTP. Loop thread only.
 *
 * Names are resolved by a worker. No callback runs inside a call to these functions. After `closed` or hf_connection_close() nothing is called.
 * TLS: 1.2 or newer, the system's store of trust or the given one, the name is checked. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

enum { HF_CONNECTION_MAX_SEND = 256 << 10, HF_CONNECTION_CONNECT_S = 15 };

struct hf_connection;

struct hf_connection_params {
    const char *host; /* name or address; copied */
    uint16_t port;
    bool tls;
    const char *ca_pem; /* trust exactly these; NULL: the system's store */
    void (*opened)(void *arg);
    void (*received)(void *arg, const void *bytes, size_t n);
    /* It could not be opened or has ended: -ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH (name), -EKEYREJECTED (TLS), -EPIPE (the peer ended it). Close it. */
    void (*closed)(void *arg, int r, const struct hf_err *err);
    void *arg;
};

HF_MUST_USE int hf_connection_open(struct hf_loop *loop, const struct hf_connection_params *params,
                                   struct hf_connection **ret_stream, struct hf_err *err);
void hf_connection_close(struct hf_connection *stream); /* NULL is fine; what was not sent yet is lost */

/* Copied and sent when the socket takes it. -E2BIG: HF_CONNECTION_MAX_SEND waits already. Only once it is open. */
HF_MUST_USE int hf_connection_send(struct hf_connection *stream, const void *bytes, size_t n);
void hf_connection_pause(struct hf_connection *stream, bool paused); /* receiving */
