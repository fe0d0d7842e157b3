/* loop/http/client.h - HTTP(S) clients on the loop. A client holds the configuration of one peer and the connections to
 * that peer.
 *
 * Threads: loop thread only. Memory: a client copies its configuration. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/http/http.h"

struct hf_loop;

/* Makes a client. Returns NULL and sets *err on failure (-EBADMSG: the client cannot decode a PEM text). */
struct hf_http_client;
struct hf_http_client *hf_http_client_new(struct hf_loop *loop, const struct hf_http_config *config,
                                          struct hf_err *err);
void hf_http_client_free(struct hf_http_client *client); /* cancels the client's calls */
HF_DEFINE_CLEANUP(struct hf_http_client, hf_http_client_free)
const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client);

/* Retires the open connections: running calls finish on the old connections, and calls that start later use new
 * connections. Call when the network has changed or the peer may be faulty. The client also retires its connections by
 * itself when a call times out, if no other call has received a byte since the last byte of the call that timed out. */
void hf_http_client_drop_connections(struct hf_http_client *client);

/* Uses the credentials of `config` (such as a rotated token or certificate) for calls that start from now on. These
 * calls never use a connection that was made with another client certificate. */
HF_MUST_USE int hf_http_client_update(struct hf_http_client *client, const struct hf_http_config *config,
                                      struct hf_err *err);
