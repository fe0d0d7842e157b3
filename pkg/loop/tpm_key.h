/* SPDX-License-Identifier: Apache-2.0 */
/* A private key that is in a TPM 2 and never leaves it, as a text where PEM of a key is expected:
 *
 *     -----BEGIN HOLDFAST TPM KEY-----    base64 of the key as this TPM loads it, and of its public point
 *
 * Only the TPM that made it signs with it; the text is no secret. ECDSA, P-256. To sign, OpenSSL calls back, and
 * holdfast-tpm (tpm/helper.h) runs once: it blocks for the time of one signature, at most for HF_TPM_KEY_TIMEOUT_NS.
 * Threads: any, after hf_tpm_key_provide(). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

struct evp_pkey_st; /* EVP_PKEY of OpenSSL */

#define HF_TPM_KEY_TIMEOUT_NS (10ull * 1000000000)
#define HF_TPM_KEY_BEGIN "-----BEGIN HOLDFAST TPM KEY-----"

/* The program and the TPM for all such keys of this process; copied. NULL: none can be used. */
HF_MUST_USE int hf_tpm_key_provide(const char *program, const char *tcti);

bool hf_tpm_key_is(const char *pem);

/* Makes a key and appends its text. -ENODEV: no TPM. -EIO: refused, or no program. -ETIMEDOUT. */
HF_MUST_USE int hf_tpm_key_make(struct hf_buf *pem, struct hf_err *err);

/* Signs once, to see if this TPM has the key. -EBADMSG: another TPM's, cleared since, or damaged. Others as above. */
HF_MUST_USE int hf_tpm_key_check(const char *pem, struct hf_err *err);

/* The first private key of the text, which may be such a text; NULL: damaged, encrypted, or out of memory. The caller
 * frees it. Starts no program. */
struct evp_pkey_st *hf_tpm_key_read(const char *pem);
