/* SPDX-License-Identifier: Apache-2.0 */
/* A peer's TLS trust and client certificate, parsed once, counted.
 *
 * A certificate must be valid at some time of the range of the configuration's clock (base/time/range.h), or within
 * max_skew_ns. All other checks are OpenSSL's. */
#pragma once

#include "loop/http/http.h"

struct hf_tls;

/* -EBADMSG: bad PEM, a key of another certificate, or one without the other. */
HF_MUST_USE int hf_tls_new(const struct hf_http_config *config, struct hf_tls **ret_tls, struct hf_err *err);
/* Counts a user. hf_tls_apply() loads the system's store when needed; the last hf_tls_close() frees it. */
struct hf_tls *hf_tls_open(struct hf_tls *tls);
void hf_tls_close(struct hf_tls *tls);
void hf_tls_unref(struct hf_tls *tls);
void hf_tls_unrefp(struct hf_tls **tls);

/* For CURLOPT_SSL_CTX_FUNCTION. `identity`: the peer may see our certificate. `host`: expected name or address;
 * copied. */
HF_MUST_USE int hf_tls_apply(struct hf_tls *tls, void *ssl_ctx, bool identity, const char *host);

/* For connections that an agent accepts: demands an agent's certificate. -EINVAL: the configuration lacks `agents`. */
HF_MUST_USE int hf_tls_apply_server(struct hf_tls *tls, void *ssl_ctx);

/* The node that an agent's certificate names ("O=holdfast:agents, CN=holdfast:agent:NODE"). -EACCES: another
 * subject. */
HF_MUST_USE int hf_tls_agent_node(const void *x509, char node[HF_HTTP_NODE]);

/* In the last handshake another machine, such as a hotspot's gateway, answered: its certificate was neither trusted nor
 * for the host. */
bool hf_tls_is_foreign(const struct hf_tls *tls);

/* Why the last handshake was refused ("certificate 'CN=x' expired ..."), or ""; clears it. Valid until the next
 * call. */
const char *hf_tls_take_reason(struct hf_tls *tls);
