/* trust/csr_parse.h - reads a PKCS #10 certificate request (RFC 2986), as an agent sends it to the cluster.
 *
 * The parser accepts less than others do, so that the signer, which has another parser, cannot read the same bytes in
 * another way: one PEM block and nothing else, one common name, one organization, strings of plain text, and no
 * requested extensions. Threads: any. */
#pragma once

#include "base/err.h"
#include "base/view.h"

enum { HF_CSR_MAX_BYTES = 16384, HF_CSR_NAME = 320 };

enum hf_csr_key { HF_CSR_KEY_OTHER, HF_CSR_KEY_P256, HF_CSR_KEY_ED25519 };

struct hf_csr {
    char common_name[HF_CSR_NAME]; /* "" if the subject has none */
    char organization[HF_CSR_NAME];
    enum hf_csr_key key; /* kind of the public key; OTHER for every key but ECDSA P-256 and Ed25519 */
};

/* Parses the PEM text of a request, and checks its signature by its own key. -EBADMSG: the text is not such a request;
 * *err says what is wrong, without a quote of the text. -ENOMEM: out of memory. */
HF_MUST_USE int hf_csr_parse(struct hf_view pem, struct hf_csr *ret_csr, struct hf_err *err);
