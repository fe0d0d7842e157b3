/* SPDX-License-Identifier: Apache-2.0 */
/* loop/http/peers.h - the TLS of each origin that has one of its own, for one client. The client and the pools that use
 * it share the object.
 *
 * Threads: loop thread only. Memory: counts references. */
#pragma once

#include "loop/http/tls.h"

struct hf_http_peers;

/* Makes the peers of the configuration; *ret_peers is NULL if it has none. -ENOMEM: out of memory. */
HF_MUST_USE int hf_http_peers_new(const struct hf_http_config *config, struct hf_http_peers **ret_peers,
                                  struct hf_err *err);
/* Takes a reference for a set of connections, and gives it back; see hf_tls_open(). Both accept NULL. */
struct hf_http_peers *hf_http_peers_open(struct hf_http_peers *peers);
void hf_http_peers_close(struct hf_http_peers *peers);
void hf_http_peers_unref(struct hf_http_peers *peers);

/* Returns true if the origin has a TLS of its own. *ret_tls is NULL if it cannot be used; *err then says why, with the
 * code EKEYREJECTED. `peers` may be NULL. */
bool hf_http_peers_find(const struct hf_http_peers *peers, const char *origin, struct hf_tls **ret_tls,
                        struct hf_err *err);
