/* SPDX-License-Identifier: Apache-2.0 */
/* Reads agents' PKCS #10 requests (RFC 2986). */
#pragma once

#include "base/err.h"
#include "base/view.h"

enum { HF_CSR_MAX_BYTES = 16384, HF_CSR_NAME = 320, HF_CSR_ORGANIZATIONS = 2 };

enum hf_csr_key { HF_CSR_KEY_OTHER, HF_CSR_KEY_P256, HF_CSR_KEY_ED25519 };

struct hf_csr {
    char common_name[HF_CSR_NAME];                         /* or "" */
    char organizations[HF_CSR_ORGANIZATIONS][HF_CSR_NAME]; /* the client's groups; or "" */
    enum hf_csr_key key;
};

/* Verifies the signature, unless the key is HF_CSR_KEY_OTHER, which the caller must refuse. -EBADMSG: invalid; *err
 * does not quote the request. */
HF_MUST_USE int hf_csr_parse(struct hf_view pem, struct hf_csr *ret_csr, struct hf_err *err);
