/* loop/http/tls.h - what a peer is trusted by and what we show it, made once and given to every connection.
 *
 * Certificates are judged at our clock's time, not the system's; those that are not yet valid, or no longer, by at most
 * max_skew are accepted, everything else about them is checked as ever. Loop thread only; counted references. */
#pragma once

#include "loop/http/http.h"

struct hf_tls;

/* Parse the PEM texts of the configuration. -EBADMSG: unreadable, or the key does not belong to the certificate. */
HF_MUST_USE int hf_tls_new(const struct hf_http_config *config, struct hf_tls **ret_tls, struct hf_err *err);
/* A reference for the life of a set of connections, and its end. The system's store, where it is what counts, is read for the
 * first connection of all that need it and let go with the last hf_tls_close(): it can be a megabyte. */
struct hf_tls *hf_tls_open(struct hf_tls *tls);
void hf_tls_close(struct hf_tls *tls);
void hf_tls_unref(struct hf_tls *tls);
void hf_tls_unrefp(struct hf_tls **tls);

/* For CURLOPT_SSL_CTX_FUNCTION: 0, or -errno. `identity`: our certificate may be shown to this peer. */
HF_MUST_USE int hf_tls_apply(struct hf_tls *tls, void *ssl_ctx, bool identity);

/* Why the last handshake was refused by us ("certificate 'CN=x' expired ..."), once; "" when nothing is known. */
const char *hf_tls_take_reason(struct hf_tls *tls);
