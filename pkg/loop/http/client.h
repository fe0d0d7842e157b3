/* loop/http/client.h - HTTP(S) clients on the loop: each is the configuration of one peer, with its connections. Loop thread only. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/http/http.h"

struct hf_loop;

/* A client for one peer configuration. NULL with *err on failure (unreadable PEM: -EBADMSG). */
struct hf_http_client;
struct hf_http_client *hf_http_client_new(struct hf_loop *loop, const struct hf_http_config *config,
                                          struct hf_err *err);
void hf_http_client_free(struct hf_http_client *client); /* cancels its calls */
HF_DEFINE_CLEANUP(struct hf_http_client, hf_http_client_free)
const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client);

/* Calls started from now on use new connections (the network changed, the peer is suspect); running ones go on as they are.
 * The client does so by itself when a call times out and nothing came on any of its connections meanwhile. */
void hf_http_client_drop_connections(struct hf_http_client *client);

/* Take new credentials (rotated token or certificate) for calls started from now on; connections made with an older client
 * certificate are not used again. */
HF_MUST_USE int hf_http_client_update(struct hf_http_client *client, const struct hf_http_config *config,
                                      struct hf_err *err);
