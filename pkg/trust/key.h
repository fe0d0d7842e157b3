/* SPDX-License-Identifier: Apache-2.0 */
/* trust/key.h - makes, reads and uses ed25519 keys and signatures (RFC 8032), with OpenSSL. Threads: any. Memory: the
 * caller owns all buffers. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

enum { HF_ED25519_PUBLIC = 32, HF_ED25519_SIGNATURE = 64, HF_TRUST_MAX_PEM = 4096, HF_KEY_ID_MAX = 63 };

/* The half of a key pair that the text `pem` holds. hf_trust_half_of() looks only for PEM labels in the text, and does
 * not decode the key. */
enum hf_trust_half { HF_TRUST_HALF_NONE, HF_TRUST_HALF_PUBLIC, HF_TRUST_HALF_PRIVATE };
enum hf_trust_half hf_trust_half_of(const char *pem);

/* In the next functions, a key is a PEM text that holds one ed25519 key and has no password. The functions return 0 or
 * -errno. -EBADMSG: the text is not such a key, or it is a public key of small order, with which forged signatures
 * would verify; *err then describes the text ("holds a private key; ..."), and the caller adds the name of the file.
 * hf_trust_verify() returns -EKEYREJECTED if the signature does not match. -EIO and -ENOMEM: OpenSSL failed. -E2BIG: an
 * output buffer is full. */
HF_MUST_USE int hf_trust_verify(const char *public_pem, struct hf_view message,
                                const unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
HF_MUST_USE int hf_trust_sign(const char *private_pem, struct hf_view message,
                              unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
/* Makes a new key pair. Appends the private half as PKCS#8 and the public half as SubjectPublicKeyInfo, both in PEM. */
HF_MUST_USE int hf_trust_generate(struct hf_buf *private_pem, struct hf_buf *public_pem, struct hf_err *err);
HF_MUST_USE int hf_trust_public_of(const char *private_pem, struct hf_buf *public_pem, struct hf_err *err);
/* Copies the 32 bytes of a public key. Compare these bytes to find out if two files hold the same key. */
HF_MUST_USE int hf_trust_public_raw(const char *public_pem, unsigned char raw[HF_ED25519_PUBLIC], struct hf_err *err);
bool hf_trust_key_id_valid(const char *key_id);
