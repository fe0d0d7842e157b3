/* SPDX-License-Identifier: Apache-2.0 */
/* trust/certificate.h - makes keys and requests for the agent's client certificate, and checks certificates, with
 * OpenSSL.
 *
 * Threads: any. Memory: the caller owns all buffers, and should overwrite a buffer that held a key before freeing it.
 * All functions return 0 or one of two errors. -EBADMSG: an argument is invalid; *err describes the problem, and never
 * quotes a key. -ENOMEM: memory ran out, an output buffer is full, or OpenSSL failed for another reason. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "codec/sha256.h"

/* Makes a new ECDSA key with the curve P-256, and appends it to *key_pem as PKCS #8 in PEM. */
HF_MUST_USE int hf_certificate_make_key(struct hf_buf *key_pem, struct hf_err *err);

/* The group of a client certificate that names the uid of the Node for which it was issued, without the uid. The name
 * of a Node may come back; its uid does not. */
#define HF_CERTIFICATE_UID_GROUP "holdfast:node-uid:"
enum { HF_CERTIFICATE_UID = 40 }; /* room for a Node's uid, a UUID of 36 characters, and its end */

/* The key and the subject of a client certificate, in the order O=organization, O=HF_CERTIFICATE_UID_GROUP<node_uid>,
 * CN=common_name. */
struct hf_certificate_owner {
    const char *key_pem, *common_name, *organization;
    const char *node_uid; /* NULL: to check a certificate, any uid or none */
};

/* Makes a PKCS #10 request for the key of `owner` with its subject, and appends it to *request_pem in PEM. */
HF_MUST_USE int hf_certificate_request(const struct hf_certificate_owner *owner, struct hf_buf *request_pem,
                                       struct hf_err *err);

/* Writes the hex SHA-256 of the public half of the key (SubjectPublicKeyInfo in DER). */
HF_MUST_USE int hf_certificate_key_id(const char *key_pem, char hex[static HF_SHA256_HEX], struct hf_err *err);

struct hf_certificate_info {
    char node_uid[HF_CERTIFICATE_UID]; /* of the Node for which it was issued; "" if the subject names none */
    /* 0 if the date is before 1970; UINT64_MAX if it is too late for 64 bits (from July 2554 on) */
    uint64_t not_before_unix_ns, not_after_unix_ns;
};

/* Reads the first certificate in `certificate_pem`, and checks that this certificate is for the key. */
HF_MUST_USE int hf_certificate_read(const char *certificate_pem, const char *key_pem,
                                    struct hf_certificate_info *ret_info, struct hf_err *err);

enum { HF_CERTIFICATE_MAX_CHAIN = 10 };

/* Checks the answer of a signer, and appends the certificates of the answer to *chain_pem in PEM. The first certificate
 * must have the key and the subject of `owner`, and its extensions must allow client authentication; *ret_info
 * receives what it says. The other certificates are its chain. The function drops keys and other text in the answer.
 * -EBADMSG: the answer has no certificate, more than HF_CERTIFICATE_MAX_CHAIN certificates, a wrong first certificate,
 * or a damaged block of PEM. */
HF_MUST_USE int hf_certificate_take(struct hf_view answer, const struct hf_certificate_owner *owner,
                                    struct hf_buf *chain_pem, struct hf_certificate_info *ret_info, struct hf_err *err);
