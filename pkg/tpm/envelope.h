/* SPDX-License-Identifier: Apache-2.0 */
/* tpm/envelope.h - encrypts a secret for storage on disk, with a key that is itself stored only in sealed form
 * (tpm/chip.h).
 *
 * The cipher is AES-256-GCM. The context is a text that says for whom and for what the secret is. It is authenticated
 * but not stored in the envelope, so an envelope that somebody copies to another place does not open there. Use each
 * key for one envelope only. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TPM_ENVELOPE_KEY = 32,      /* size of a key in bytes */
    HF_TPM_ENVELOPE_OVERHEAD = 28, /* number of bytes by which an envelope is longer than its content */
};

/* Fills `key` with random bytes. -EIO: OpenSSL cannot get random bytes. */
HF_MUST_USE int hf_tpm_envelope_key(unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_err *err);

/* Appends the envelope with the encrypted content to *out. -E2BIG: *out is full, or an argument is too large. -ENOMEM:
 * out of memory. -EIO: OpenSSL failed. */
HF_MUST_USE int hf_tpm_envelope_seal(const unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_view context,
                                     struct hf_view content, struct hf_buf *out, struct hf_err *err);

/* Decrypts an envelope into `content`, a buffer of envelope.n bytes, and sets *ret_n to the size of the content.
 * -EBADMSG: the key or the context is not the one that encrypted the content, or the envelope is damaged. -ENOMEM: out
 * of memory. After an error, `content` holds no decrypted bytes. */
HF_MUST_USE int hf_tpm_envelope_open(const unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_view context,
                                     struct hf_view envelope, unsigned char *content, size_t *ret_n,
                                     struct hf_err *err);
