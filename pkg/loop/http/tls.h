/* SPDX-License-Identifier: Apache-2.0 */
/* TLS trust and client certificate of one peer, parsed once.
 *
 * Judges validity by the configuration's clock: a certificate is accepted if valid at some time of its range
 * (base/time/range.h), or within max_skew_ns of it. All other checks are as usual. Counts references. */
#pragma once

#include "loop/http/http.h"

struct hf_tls;

/* -EBADMSG: bad PEM, a key that does not belong to the certificate, or one without the other. */
HF_MUST_USE int hf_tls_new(const struct hf_http_config *config, struct hf_tls **ret_tls, struct hf_err *err);
/* For a set of connections. The system's store, up to a megabyte, is loaded when needed and freed at the last close. */
struct hf_tls *hf_tls_open(struct hf_tls *tls);
void hf_tls_close(struct hf_tls *tls);
void hf_tls_unref(struct hf_tls *tls);
void hf_tls_unrefp(struct hf_tls **tls);

/* From CURLOPT_SSL_CTX_FUNCTION. `identity`: the peer may see our client certificate. `host`: expected name or address;
 * copied. */
HF_MUST_USE int hf_tls_apply(struct hf_tls *tls, void *ssl_ctx, bool identity, const char *host);

/* For the accepted connections of an agent: as hf_tls_apply(), for a server that demands such a certificate. The
 * configuration has `agents`. */
HF_MUST_USE int hf_tls_apply_server(struct hf_tls *tls, void *ssl_ctx);

/* The node of the certificate of an agent (subject "O=holdfast:agents, CN=holdfast:agent:NODE"). -EACCES: another
 * subject. */
HF_MUST_USE int hf_tls_agent_node(const void *x509, char node[HF_HTTP_NODE]);

/* Another machine, such as a hotspot's gateway, answered the last handshake: its certificate was neither trusted nor
 * for the host. Call before hf_tls_take_reason(). */
bool hf_tls_is_foreign(const struct hf_tls *tls);

/* The reason for the last refused handshake ("certificate 'CN=x' expired ..."), or ""; clears it. Valid until the next
 * call. */
const char *hf_tls_take_reason(struct hf_tls *tls);
