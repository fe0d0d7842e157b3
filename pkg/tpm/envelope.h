/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypts content for the disk (AES-256-GCM), by a key that is stored sealed (tpm/chip.h). `context`, what the content
 * belongs to, is authenticated but not stored: a copy does not open elsewhere. One envelope per key. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TPM_ENVELOPE_KEY = 32,
    HF_TPM_ENVELOPE_OVERHEAD = 28, /* bytes beyond the content */
};

HF_MUST_USE int hf_tpm_envelope_key(unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_err *err);

/* Appends to *out. -E2BIG: *out is full, or an argument too large. -EIO: OpenSSL failed. */
HF_MUST_USE int hf_tpm_envelope_seal(const unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_view context,
                                     struct hf_view content, struct hf_buf *out, struct hf_err *err);

/* `content` has room for envelope.n bytes; after an error it holds nothing decrypted. -EBADMSG: another key or context,
 * or damaged. */
HF_MUST_USE int hf_tpm_envelope_open(const unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_view context,
                                     struct hf_view envelope, unsigned char *content, size_t *ret_n,
                                     struct hf_err *err);
