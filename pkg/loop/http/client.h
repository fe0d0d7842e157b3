/* SPDX-License-Identifier: Apache-2.0 */
/* loop/http/client.h - HTTP(S) clients on the loop. A client holds the configuration of one peer and the connections to
 * that peer.
 *
 * Threads: loop thread only. Memory: a client copies its configuration. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/http/http.h"

struct hf_loop;

/* Makes a client. Returns NULL and sets *err on failure. Codes of *err: EBADMSG (a PEM text is unusable, or the token
 * or the user agent has a line break), EINVAL (`origin` is not a URL), ENOMEM. */
struct hf_http_client;
struct hf_http_client *hf_http_client_new(struct hf_loop *loop, const struct hf_http_config *config,
                                          struct hf_err *err);
void hf_http_client_free(struct hf_http_client *client); /* cancels the client's calls */
HF_DEFINE_CLEANUP(struct hf_http_client, hf_http_client_free)
const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client);

/* Traffic and round-trip time of the client's calls. The client sends nothing extra to measure them. */
struct hf_http_traffic {
    /* bytes of requests (approximately) and of responses, without TLS and TCP, since the start */
    uint64_t sent_bytes, received_bytes;
    /* shortest round trip, in nanoseconds, that the kernel has measured on the connections of running calls; through a
     * proxy, the round trip to the proxy; 0 if no call runs */
    uint64_t round_trip_ns;
};
struct hf_http_traffic hf_http_client_traffic(const struct hf_http_client *client);

/* Retires the open connections: running calls finish on the old connections, and calls that start later use new
 * connections. Call this function when the network has changed or the peer may be faulty. The client also retires its
 * connections by itself when a call times out, if no other call has received a byte since the last byte of the call
 * that timed out. */
void hf_http_client_drop_connections(struct hf_http_client *client);

/* Uses `config` (such as a rotated token or certificate) for calls that start from now on. These calls never use a
 * connection that was made with another client certificate. After a failure, the client keeps its old configuration;
 * the codes are those of hf_http_client_new(), but negative. */
HF_MUST_USE int hf_http_client_update(struct hf_http_client *client, const struct hf_http_config *config,
                                      struct hf_err *err);
