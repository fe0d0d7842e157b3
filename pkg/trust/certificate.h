/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, requests and checks for the agent's client certificate.
 *
 * The caller owns buffers, and overwrites keys. -EBADMSG: invalid; *err never quotes a key. -ENOMEM: also a full
 * buffer, or another failure of OpenSSL. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "codec/sha256.h"

/* Makes an ECDSA P-256 key in PEM. */
HF_MUST_USE int hf_certificate_make_key(struct hf_buf *key_pem, struct hf_err *err);

/* Prefix of the group that names the Node's uid. */
#define HF_CERTIFICATE_UID_GROUP "holdfast:node-uid:"
enum { HF_CERTIFICATE_UID = 40 }; /* a UUID and terminator */

/* A key, and the subject O=organization, O=HF_CERTIFICATE_UID_GROUP<node_uid>, CN=common_name. */
struct hf_certificate_owner {
    const char *key_pem, *common_name, *organization;
    const char *node_uid; /* NULL: no such group; in a check, any or none */
};

HF_MUST_USE int hf_certificate_request(const struct hf_certificate_owner *owner, struct hf_buf *request_pem,
                                       struct hf_err *err);

/* Hashes the key's SubjectPublicKeyInfo in DER. */
HF_MUST_USE int hf_certificate_key_id(const char *key_pem, char hex[static HF_SHA256_HEX], struct hf_err *err);

struct hf_certificate_info {
    char node_uid[HF_CERTIFICATE_UID]; /* or "" */
    /* 0: before 1970; UINT64_MAX: after July 2554 */
    uint64_t not_before_unix_ns, not_after_unix_ns;
};

/* Reads the first certificate, which must be for the key. */
HF_MUST_USE int hf_certificate_read(const char *certificate_pem, const char *key_pem,
                                    struct hf_certificate_info *ret_info, struct hf_err *err);

/* Appends the certificates of `answer`. The first must have `owner`'s key and subject and allow client authentication;
 * others are its chain. -EBADMSG: no certificate, too many, a wrong first one, or damaged PEM. */
HF_MUST_USE int hf_certificate_take(struct hf_view answer, const struct hf_certificate_owner *owner,
                                    struct hf_buf *chain_pem, struct hf_certificate_info *ret_info, struct hf_err *err);
