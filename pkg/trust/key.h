/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 keys and signatures (RFC 8032). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

enum { HF_ED25519_PUBLIC = 32, HF_ED25519_SIGNATURE = 64, HF_TRUST_MAX_PEM = 4096, HF_KEY_ID_MAX = 63 };

/* The half of a key pair that a text holds, by its PEM labels. */
enum hf_trust_half { HF_TRUST_HALF_NONE, HF_TRUST_HALF_PUBLIC, HF_TRUST_HALF_PRIVATE };
enum hf_trust_half hf_trust_half_of(const char *pem);

/* Keys are PEM of one ed25519 key without password. -EBADMSG: other content, or a key of small order, which forged
 * signatures match. -EKEYREJECTED: the signature does not match. */
HF_MUST_USE int hf_trust_verify(const char *public_pem, struct hf_view message,
                                const unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
HF_MUST_USE int hf_trust_sign(const char *private_pem, struct hf_view message,
                              unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
/* Append PEM: PKCS#8 (private), SubjectPublicKeyInfo (public). -E2BIG: a buffer is full. */
HF_MUST_USE int hf_trust_generate(struct hf_buf *private_pem, struct hf_buf *public_pem, struct hf_err *err);
HF_MUST_USE int hf_trust_public_of(const char *private_pem, struct hf_buf *public_pem, struct hf_err *err);
/* Reads the bytes of a key: equal bytes, equal keys. */
HF_MUST_USE int hf_trust_public_raw(const char *public_pem, unsigned char raw[HF_ED25519_PUBLIC], struct hf_err *err);
bool hf_trust_key_id_valid(const char *key_id);
