/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP(S) client: configuration and connections for one peer. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/http/http.h"

struct hf_loop;

struct hf_http_client;
/* Copies `config`. Returns NULL with *err: EBADMSG (PEM, or a line break for a header), EINVAL (`origin`) or ENOMEM. */
struct hf_http_client *hf_http_client_new(struct hf_loop *loop, const struct hf_http_config *config,
                                          struct hf_err *err);
void hf_http_client_free(struct hf_http_client *client); /* cancels its calls */
HF_DEFINE_CLEANUP(struct hf_http_client, hf_http_client_free)
const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client);

struct hf_http_traffic {
    uint64_t sent_bytes, received_bytes; /* of requests (about), of responses; without TLS and TCP */
    uint64_t round_trip_ns;              /* shortest of connections while calls run, to peer or proxy */
};
struct hf_http_traffic hf_http_client_traffic(const struct hf_http_client *client);

/* Running calls keep their connections, later calls and redirects get new ones. */
void hf_http_client_drop_connections(struct hf_http_client *client);

/* Changes the configuration of later calls, which use no connection with another client certificate. After -errno the
 * old one stays. */
HF_MUST_USE int hf_http_client_update(struct hf_http_client *client, const struct hf_http_config *config,
                                      struct hf_err *err);
