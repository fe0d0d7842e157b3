/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of the origins that have their own; reference-counted, for a client and its pools. */
#pragma once

#include "loop/http/tls.h"

struct hf_http_peers;

/* *ret_peers is NULL if no origin has its own. */
HF_MUST_USE int hf_http_peers_new(const struct hf_http_config *config, struct hf_http_peers **ret_peers,
                                  struct hf_err *err);
/* Accept NULL. */
struct hf_http_peers *hf_http_peers_open(struct hf_http_peers *peers);
void hf_http_peers_close(struct hf_http_peers *peers);
void hf_http_peers_unref(struct hf_http_peers *peers);

/* Whether `origin` has TLS of its own; if unusable, *ret_tls is NULL and *err has EKEYREJECTED. */
bool hf_http_peers_find(const struct hf_http_peers *peers, const char *origin, struct hf_tls **ret_tls,
                        struct hf_err *err);
