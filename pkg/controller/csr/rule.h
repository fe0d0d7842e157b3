/* SPDX-License-Identifier: Apache-2.0 */
/* Is a CertificateSigningRequest an agent's, for its own certificate? Pure. */
#pragma once

#include "codec/json.h"
#include "trust/certificate.h"

#define HF_CSR_SIGNER "kubernetes.io/kube-apiserver-client"
#define HF_CSR_GROUP "holdfast:agents"

enum {
    HF_CSR_MIN_LIFETIME_S = 600,            /* API server's */
    HF_CSR_MAX_LIFETIME_S = 30 * 24 * 3600, /* limits use of a stolen certificate */
};

enum hf_csr_verdict {
    HF_CSR_IGNORE, /* not an agent's, another signer's, or decided */
    HF_CSR_APPROVE,
    HF_CSR_DENY,
};

struct hf_csr_terms {
    const char *account;                     /* agents' service account */
    uint64_t min_lifetime_s, max_lifetime_s; /* spec.expirationSeconds */
};

struct hf_csr_decision {
    enum hf_csr_verdict verdict;
    const char *reason;           /* NULL for HF_CSR_IGNORE */
    char message[400];            /* fault and expectation */
    char node[254];               /* proved, or "" */
    char uid[HF_CERTIFICATE_UID]; /* HF_CSR_APPROVE: the Node's */
};

/* Trusts only username, groups and extra, which the API server sets. */
void hf_csr_decide(const json_t *object, const struct hf_csr_terms *terms, struct hf_csr_decision *ret_decision);

/* Denies an approved request unless `node`, the present Node decision->node or its metadata (NULL: none), has the uid
 * in request and credential (token claim node-uid, certificate group HF_CERTIFICATE_UID_GROUP), and is not younger than
 * the request. */
void hf_csr_check_node(const json_t *object, const json_t *node, struct hf_csr_decision *decision);

/* `object` with the condition Approved or Denied, for the subresource `approval`; the caller's. */
json_t *hf_csr_approval(const json_t *object, const struct hf_csr_decision *decision, uint64_t now_unix_ns);
