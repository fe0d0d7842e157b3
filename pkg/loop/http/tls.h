/* SPDX-License-Identifier: Apache-2.0 */
/* A peer's TLS trust and client certificate, parsed once, reference-counted.
 *
 * If verified, a certificate must be valid at some time in the range of the configuration's clock
 * (base/time/range.h), give or take max_skew_ns. */
#pragma once

#include "loop/http/http.h"

struct hf_tls;

/* -EBADMSG: bad or encrypted PEM, a key of another certificate, or certificate or key alone. */
HF_MUST_USE int hf_tls_new(const struct hf_http_config *config, struct hf_tls **ret_tls, struct hf_err *err);
/* Counts a user. hf_tls_apply() loads the system's store when needed; the last hf_tls_close() frees that one. */
struct hf_tls *hf_tls_open(struct hf_tls *tls);
void hf_tls_close(struct hf_tls *tls);
void hf_tls_unref(struct hf_tls *tls);
void hf_tls_unrefp(struct hf_tls **tls);

/* Sets up `ssl_ctx` in CURLOPT_SSL_CTX_FUNCTION. `identity`: the peer may see our certificate. `host`: expected name or
 * address; copied. */
HF_MUST_USE int hf_tls_apply(struct hf_tls *tls, void *ssl_ctx, bool identity, const char *host);

/* Sets up `ssl_ctx` for connections that an agent accepts: they need an agent's certificate. -EINVAL: the configuration
 * lacks `agents`. */
HF_MUST_USE int hf_tls_apply_server(struct hf_tls *tls, void *ssl_ctx);

/* Reads the node from an agent's certificate ("O=holdfast:agents, CN=holdfast:agent:NODE"). -EACCES: another
 * subject. */
HF_MUST_USE int hf_tls_agent_node(const void *x509, char node[HF_HTTP_NODE]);

/* Whether probably another machine, such as a hotspot's gateway, answered the last handshake. */
bool hf_tls_is_foreign(const struct hf_tls *tls);

/* Returns why we refused the last handshake ("certificate 'CN=x' expired ..."), or "", and clears it. Valid until the
 * next call. */
const char *hf_tls_take_reason(struct hf_tls *tls);
