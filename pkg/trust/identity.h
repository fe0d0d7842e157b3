/* SPDX-License-Identifier: Apache-2.0 */
/* How the node proves itself to servers other than its cluster's: by the client certificate in use, and by tokens
 * signed with its key.
 *
 * A token is a JWT (RFC 7519), ES256, with the certificate and its chain in x5c: a server that trusts the cluster's CA
 * for clients verifies it. iss and sub are the certificate's CN, aud is the origin of the server and never what an
 * object says, so no server can use a token at another one. Threads: loop thread only. Secrets are overwritten before
 * their memory is freed. All but new accept NULL: an identity without a certificate. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"

struct hf_identity;

struct hf_identity *hf_identity_new(const struct hf_clock_ops *clock);
void hf_identity_free(struct hf_identity *identity);

/* Copies; both NULL: there is none. -EBADMSG: no pair. Then there is none. */
HF_MUST_USE int hf_identity_set(struct hf_identity *identity, const char *certificate_pem, const char *key_pem,
                                struct hf_err *err);

/* Changes with each set. */
unsigned hf_identity_generation(const struct hf_identity *identity);

/* Borrowed until the next set; the key may be in a TPM (loop/tpm_key.h). -EACCES: there is none, or it has ended. */
HF_MUST_USE int hf_identity_pair(const struct hf_identity *identity, const char **ret_certificate_pem,
                                 const char **ret_key_pem, struct hf_err *err);

/* A token for `origin` ("https://host:port") that is good for another minute at least; borrowed until the next call.
 * Kept in memory, so one signature serves about four minutes; a TPM's blocks (loop/tpm_key.h), and after a failure the
 * key rests for half a minute. -EACCES: as above. -EAGAIN: no time is sure enough to sign. -EIO: not signed. */
HF_MUST_USE int hf_identity_token(struct hf_identity *identity, const char *origin, const char **ret_token,
                                  struct hf_err *err);
