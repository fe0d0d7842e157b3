/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypts for the disk (AES-256-GCM), by a key stored sealed (tpm/chip.h). The context, authenticated but not stored,
 * says for whom and what: a copied envelope does not open elsewhere. One envelope per key. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TPM_ENVELOPE_KEY = 32,      /* bytes */
    HF_TPM_ENVELOPE_OVERHEAD = 28, /* beyond the content */
};

/* -EIO: no random bytes. */
HF_MUST_USE int hf_tpm_envelope_key(unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_err *err);

/* -E2BIG: *out, or an argument. -EIO: OpenSSL. */
HF_MUST_USE int hf_tpm_envelope_seal(const unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_view context,
                                     struct hf_view content, struct hf_buf *out, struct hf_err *err);

/* `content`: envelope.n bytes, none decrypted after an error. -EBADMSG: key, context, or damaged. */
HF_MUST_USE int hf_tpm_envelope_open(const unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_view context,
                                     struct hf_view envelope, unsigned char *content, size_t *ret_n,
                                     struct hf_err *err);
