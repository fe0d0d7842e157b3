/* SPDX-License-Identifier: Apache-2.0 */
/* A private key that never leaves its TPM 2, as a text in place of a key's PEM:
 *
 *     -----BEGIN HOLDFAST TPM KEY-----    base64 of the key as this TPM loads it, and of its public point
 *
 * Only that TPM signs with it; the text is no secret. Each signature runs holdfast-tpm (tpm/helper.h), and blocks for
 * 10 seconds at most. Threads: any, after hf_tpm_key_provide(). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

struct evp_pkey_st;

#define HF_TPM_KEY_BEGIN "-----BEGIN HOLDFAST TPM KEY-----"

/* Sets program and TPM of all keys in this process; copied. NULL: no key works. */
HF_MUST_USE int hf_tpm_key_provide(const char *program, const char *tcti);

bool hf_tpm_key_is(const char *pem);

/* Appends the text of a new key. -ENODEV: no TPM. -EIO: the TPM refused, or no program is set. -ETIMEDOUT. */
HF_MUST_USE int hf_tpm_key_make(struct hf_buf *pem, struct hf_err *err);

/* Signs once as a test. -EBADMSG: damaged, another TPM's key, or the TPM was cleared. Others as hf_tpm_key_make(). */
HF_MUST_USE int hf_tpm_key_check(const char *pem, struct hf_err *err);

/* Reads the first private key of a text, maybe a TPM's; the caller frees it. NULL: damaged, encrypted, or no memory. */
struct evp_pkey_st *hf_tpm_key_read(const char *pem);
