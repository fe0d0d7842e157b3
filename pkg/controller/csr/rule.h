/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a CertificateSigningRequest is an agent's, for its own certificate. Pure. */
#pragma once

#include "codec/json.h"
#include "trust/certificate.h"

#define HF_CSR_SIGNER "kubernetes.io/kube-apiserver-client"
#define HF_CSR_GROUP "holdfast:agents"

enum {
    HF_CSR_MIN_LIFETIME_S = 600, /* the API server's minimum */
    HF_CSR_MAX_LIFETIME_S = 30 * 24 * 3600,
};

enum hf_csr_verdict {
    HF_CSR_IGNORE, /* the request is not an agent's, is for another signer, or is decided */
    HF_CSR_APPROVE,
    HF_CSR_DENY,
};

struct hf_csr_terms {
    const char *account;
    uint64_t min_lifetime_s, max_lifetime_s; /* bounds of spec.expirationSeconds */
};

struct hf_csr_decision {
    enum hf_csr_verdict verdict;
    const char *reason;
    char message[400];
    char node[254];               /* name of the Node, if proved; or "" */
    char uid[HF_CERTIFICATE_UID]; /* uid in the request, for HF_CSR_APPROVE */
};

/* Trusts only username, groups and extra, which the API server sets. */
void hf_csr_decide(const json_t *object, const struct hf_csr_terms *terms, struct hf_csr_decision *ret_decision);

/* Denies an approved request unless `node` (the present Node decision->node or its metadata; NULL: none) has the uid in
 * the request, has the uid in the credential, if that names a uid, and is not younger than the request. */
void hf_csr_check_node(const json_t *object, const json_t *node, struct hf_csr_decision *decision);

/* Returns `object` with the condition Approved or Denied, for the subresource `approval`. Free it. */
json_t *hf_csr_approval(const json_t *object, const struct hf_csr_decision *decision, uint64_t now_unix_ns);
