/* SPDX-License-Identifier: Apache-2.0 */
/* loop/http/tls.h - TLS trust and client certificate of one peer, parsed once for all connections.
 *
 * Judges the validity of certificates by the clock of the configuration instead of the system's clock. Accepts a
 * certificate if it is valid at some time within the clock's range (base/time/range.h), or if its validity is at most
 * max_skew_ns away from the range. Checks everything else as usual. Threads: loop thread only. Memory: an hf_tls has a
 * count of references. */
#pragma once

#include "loop/http/http.h"

struct hf_tls;

/* Parses the PEM texts of the configuration. -EBADMSG: a text is not valid PEM, the key does not belong to the
 * certificate, or the configuration has only one of the two. -ENOMEM: out of memory. */
HF_MUST_USE int hf_tls_new(const struct hf_http_config *config, struct hf_tls **ret_tls, struct hf_err *err);
/* hf_tls_open() takes a reference for a set of connections, and hf_tls_close() releases it. The first hf_tls_apply()
 * that needs the system's store loads the store; the last hf_tls_close() frees the store, which can take a megabyte. */
struct hf_tls *hf_tls_open(struct hf_tls *tls);
void hf_tls_close(struct hf_tls *tls);
void hf_tls_unref(struct hf_tls *tls);
void hf_tls_unrefp(struct hf_tls **tls);

/* Sets up the SSL context of a new connection. Call this function from CURLOPT_SSL_CTX_FUNCTION. Returns 0 or -errno.
 * If `identity` is true, the peer may see our client certificate. `host` is the name or address that the certificate of
 * the peer should have; copied. */
HF_MUST_USE int hf_tls_apply(struct hf_tls *tls, void *ssl_ctx, bool identity, const char *host);

/* Returns true if another machine answered the last handshake in the peer's place, such as the gateway of a hotspot
 * that shows a login page. The sign of this is a certificate with two faults at once: no trusted authority signed it,
 * and it is for another host. Call this function before hf_tls_take_reason(). */
bool hf_tls_is_foreign(const struct hf_tls *tls);

/* Returns and clears the reason for which we refused the last handshake, such as "certificate 'CN=x' expired ...".
 * Returns "" if no reason is recorded. The text is valid until the next call. */
const char *hf_tls_take_reason(struct hf_tls *tls);
