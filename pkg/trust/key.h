/* trust/key.h - ed25519 keys and signatures (RFC 8032), with OpenSSL.
 * Threads: any. Memory: the caller owns all buffers. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

enum { HF_ED25519_PUBLIC = 32, HF_ED25519_SIGNATURE = 64, HF_TRUST_MAX_PEM = 4096, HF_KEY_ID_MAX = 63 };

/* Tells the halves of a key pair apart by the PEM labels alone. */
enum hf_trust_half { HF_TRUST_HALF_NONE, HF_TRUST_HALF_PUBLIC, HF_TRUST_HALF_PRIVATE };
enum hf_trust_half hf_trust_half_of(const char *pem);

/* The primitives that hf_trust_check() and the command line use. Key texts are PEM: one key, without a password.
 * -EBADMSG refuses other algorithms and public keys of small order, under which any signature would verify; *err
 * then says what the text holds ("holds a private key; ..."), and the caller adds the file's name.
 * hf_trust_verify(): -EKEYREJECTED if the signature does not verify. */
HF_MUST_USE int hf_trust_verify(const char *public_pem, struct hf_view message,
                                const unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
HF_MUST_USE int hf_trust_sign(const char *private_pem, struct hf_view message,
                              unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
HF_MUST_USE int hf_trust_generate(struct hf_buf *private_pem, struct hf_buf *public_pem,
                                  struct hf_err *err); /* PKCS#8 and SPKI */
HF_MUST_USE int hf_trust_public_of(const char *private_pem, struct hf_buf *public_pem, struct hf_err *err);
/* Copies the 32 bytes of a public key, to compare keys: two files may hold the same one. */
HF_MUST_USE int hf_trust_public_raw(const char *public_pem, unsigned char raw[HF_ED25519_PUBLIC], struct hf_err *err);
bool hf_trust_key_id_valid(const char *key_id);
