/* SPDX-License-Identifier: Apache-2.0 */
/* Internal, for key.c: ed25519_openssl.c, or, without feature https, ed25519_sodium.c, which only verifies; keys are
 * then PEM of `holdfast key generate` or `openssl pkey -pubout`. */
#pragma once

#include "trust/key.h"

/* Reads a public key in PEM of any form; ed25519_sodium.c returns false. */
bool hf_trust_read_any(const char *pem, unsigned char raw[HF_ED25519_PUBLIC]);

/* Errors as hf_trust_verify(). */
HF_MUST_USE int hf_trust_verify_raw(const unsigned char raw[HF_ED25519_PUBLIC], struct hf_view message,
                                    const unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
