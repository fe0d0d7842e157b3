/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP(S) clients: configuration and connections of one peer. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/http/http.h"

struct hf_loop;

/* Copies `config`. NULL: *err has EBADMSG (bad PEM, or a line break in token or user agent), EINVAL (`origin`) or
 * ENOMEM. */
struct hf_http_client;
struct hf_http_client *hf_http_client_new(struct hf_loop *loop, const struct hf_http_config *config,
                                          struct hf_err *err);
void hf_http_client_free(struct hf_http_client *client); /* cancels its calls */
HF_DEFINE_CLEANUP(struct hf_http_client, hf_http_client_free)
const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client);

struct hf_http_traffic {
    uint64_t sent_bytes, received_bytes; /* requests (about), responses; without TLS and TCP */
    uint64_t round_trip_ns;              /* shortest of running calls, to peer or proxy */
};
struct hf_http_traffic hf_http_client_traffic(const struct hf_http_client *client);

/* Running calls keep old connections, later calls get new ones. The client does this itself when a call times out,
 * unless another received a byte since that call's last byte. */
void hf_http_client_drop_connections(struct hf_http_client *client);

/* For later calls, which use no connection of another client certificate. Errors: hf_http_client_new()'s, negative; the
 * old configuration stays. */
HF_MUST_USE int hf_http_client_update(struct hf_http_client *client, const struct hf_http_config *config,
                                      struct hf_err *err);
