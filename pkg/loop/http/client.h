/* loop/http/client.h - HTTP(S) clients on the loop. A client is the configuration of one peer, with its connections.
 *
 * Threads: loop thread only. Memory: a client copies its configuration. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/http/http.h"

struct hf_loop;

/* Makes a client. NULL with *err on failure (-EBADMSG: PEM that cannot be read). */
struct hf_http_client;
struct hf_http_client *hf_http_client_new(struct hf_loop *loop, const struct hf_http_config *config,
                                          struct hf_err *err);
void hf_http_client_free(struct hf_http_client *client); /* cancels its calls */
HF_DEFINE_CLEANUP(struct hf_http_client, hf_http_client_free)
const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client);

/* Makes calls that start from now on use new connections (the network changed, or the peer is suspect); running
 * calls continue on theirs. The client does this by itself if a call times out and no byte came on any of its
 * connections meanwhile. */
void hf_http_client_drop_connections(struct hf_http_client *client);

/* Uses new credentials (a rotated token or certificate) for calls that start from now on; these use no connection
 * made with an older client certificate. */
HF_MUST_USE int hf_http_client_update(struct hf_http_client *client, const struct hf_http_config *config,
                                      struct hf_err *err);
