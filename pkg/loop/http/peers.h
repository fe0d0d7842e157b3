/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of origins that have their own, counted, for a client and its pools. */
#pragma once

#include "loop/http/tls.h"

struct hf_http_peers;

/* *ret_peers may be NULL: none. */
HF_MUST_USE int hf_http_peers_new(const struct hf_http_config *config, struct hf_http_peers **ret_peers,
                                  struct hf_err *err);
/* For a set of connections (hf_tls_open()). Accept NULL. */
struct hf_http_peers *hf_http_peers_open(struct hf_http_peers *peers);
void hf_http_peers_close(struct hf_http_peers *peers);
void hf_http_peers_unref(struct hf_http_peers *peers);

/* True: `origin` has its own TLS; *ret_tls NULL: unusable, *err has EKEYREJECTED. `peers` may be NULL. */
bool hf_http_peers_find(const struct hf_http_peers *peers, const char *origin, struct hf_tls **ret_tls,
                        struct hf_err *err);
