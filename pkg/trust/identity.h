/* SPDX-License-Identifier: Apache-2.0 */
/* The node's proof to servers other than its cluster's: the client certificate in use, and tokens signed with its key.
 *
 * A token is a JWT (RFC 7519), ES256, with certificate and chain in x5c, for servers that trust the cluster's CA. iss
 * and sub are the certificate's CN, aud is the server's origin and never what an object says. Loop thread only. Wipes
 * secrets. All but new accept NULL: no certificate. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"

struct hf_identity;

struct hf_identity *hf_identity_new(const struct hf_clock_ops *clock);
void hf_identity_free(struct hf_identity *identity);

/* Copies; both NULL: no certificate, as after -EBADMSG (no pair). */
HF_MUST_USE int hf_identity_set(struct hf_identity *identity, const char *certificate_pem, const char *key_pem,
                                struct hf_err *err);

/* Changes with each set. */
unsigned hf_identity_generation(const struct hf_identity *identity);

/* Valid until the next set; the key may be a TPM's (loop/tpm_key.h). -EACCES: no certificate, or an expired one. */
HF_MUST_USE int hf_identity_pair(const struct hf_identity *identity, const char **ret_certificate_pem,
                                 const char **ret_key_pem, struct hf_err *err);

/* A token for `origin` ("https://host:port"), good for a minute at least, until the next call. A TPM signs while the
 * call blocks (loop/tpm_key.h), and is not asked for half a minute after a failure. -EACCES: as above. -EAGAIN: the
 * time is not sure enough. -EIO: not signed. */
HF_MUST_USE int hf_identity_token(struct hf_identity *identity, const char *origin, const char **ret_token,
                                  struct hf_err *err);
