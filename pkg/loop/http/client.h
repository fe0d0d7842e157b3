/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP(S) clients: configuration of one peer (copied), and its connections. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/http/http.h"

struct hf_loop;

/* NULL: *err has EBADMSG (an unusable PEM text, or a line break in token or user agent), EINVAL (`origin`) or
 * ENOMEM. */
struct hf_http_client;
struct hf_http_client *hf_http_client_new(struct hf_loop *loop, const struct hf_http_config *config,
                                          struct hf_err *err);
void hf_http_client_free(struct hf_http_client *client); /* cancels its calls */
HF_DEFINE_CLEANUP(struct hf_http_client, hf_http_client_free)
const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client);

/* Measured without extra traffic. */
struct hf_http_traffic {
    uint64_t sent_bytes, received_bytes; /* requests (about) and responses, without TLS and TCP */
    uint64_t round_trip_ns;              /* shortest of running calls, or to their proxy; 0: no call */
};
struct hf_http_traffic hf_http_client_traffic(const struct hf_http_client *client);

/* Running calls keep old connections, later ones get new ones: the network has changed, or the peer may be faulty.
 * Automatic when a call times out, unless another call has received a byte since that call's last one. */
void hf_http_client_drop_connections(struct hf_http_client *client);

/* For later calls; they never use a connection of another client certificate. Errors of hf_http_client_new(), negative:
 * then the old configuration stays. */
HF_MUST_USE int hf_http_client_update(struct hf_http_client *client, const struct hf_http_config *config,
                                      struct hf_err *err);
