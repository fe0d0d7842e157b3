/* SPDX-License-Identifier: Apache-2.0 */
/* Proves the node's identity to servers other than its cluster's: by its client certificate, and by tokens signed with
 * the certificate's key.
 *
 * A token is a JWT (RFC 7519), ES256, with certificate and chain in x5c. iss and sub are the certificate's CN; aud is
 * the server's origin. Loop thread only. All functions except new accept NULL: no certificate. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"

struct hf_identity;

struct hf_identity *hf_identity_new(const struct hf_clock_ops *clock);
void hf_identity_free(struct hf_identity *identity);

/* Copies the pair; both NULL: no certificate. -EBADMSG: damaged, or no pair. An error leaves no certificate. */
HF_MUST_USE int hf_identity_set(struct hf_identity *identity, const char *certificate_pem, const char *key_pem,
                                struct hf_err *err);

unsigned hf_identity_generation(const struct hf_identity *identity);

/* Returns texts valid until the next hf_identity_set(); the key may be a TPM's (loop/tpm_key.h). -EACCES: no
 * certificate. */
HF_MUST_USE int hf_identity_pair(const struct hf_identity *identity, const char **ret_certificate_pem,
                                 const char **ret_key_pem, struct hf_err *err);

/* Returns a token for `origin` ("https://host:port"), valid until the next call, and accepted for at least a minute if
 * the certificate is. A TPM signs while the call blocks; for half a minute after a failure no token is signed. -EACCES:
 * no certificate, or expired. -EAGAIN: the time is not sure enough. -EIO: not signed. */
HF_MUST_USE int hf_identity_token(struct hf_identity *identity, const char *origin, const char **ret_token,
                                  struct hf_err *err);
