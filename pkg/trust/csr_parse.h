/* SPDX-License-Identifier: Apache-2.0 */
/* trust/csr_parse.h - parses the PKCS #10 certificate requests (RFC 2986) that agents send to the cluster.
 *
 * The signer of the cluster later parses the same bytes with another parser. So this parser is strict, and accepts only
 * requests that both parsers understand in the same way. The text must be exactly one PEM block and nothing else. The
 * subject may have at most one common name and at most two organizations, in printable ASCII, and no other field. The
 * request must have no attributes, and thus no requested extensions. Threads: any. */
#pragma once

#include "base/err.h"
#include "base/view.h"

enum { HF_CSR_MAX_BYTES = 16384, HF_CSR_NAME = 320, HF_CSR_ORGANIZATIONS = 2 };

enum hf_csr_key { HF_CSR_KEY_OTHER, HF_CSR_KEY_P256, HF_CSR_KEY_ED25519 };

struct hf_csr {
    char common_name[HF_CSR_NAME]; /* "" if the subject has no common name */
    /* in the order of the subject; "" behind the last one. An API server takes each as a group of the client. */
    char organizations[HF_CSR_ORGANIZATIONS][HF_CSR_NAME];
    enum hf_csr_key key; /* kind of the public key; OTHER for every key but ECDSA P-256 and Ed25519 */
};

/* Parses the PEM text of a request, and verifies the request's signature with the public key in the request. If the key
 * is of the kind HF_CSR_KEY_OTHER, the function does not verify the signature, and the caller must refuse the request.
 * -EBADMSG: the parser does not accept the text, or the signature does not match; *err describes the problem without
 * quoting the text. -ENOMEM: out of memory. */
HF_MUST_USE int hf_csr_parse(struct hf_view pem, struct hf_csr *ret_csr, struct hf_err *err);
