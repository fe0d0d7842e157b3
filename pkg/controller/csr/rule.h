/* SPDX-License-Identifier: Apache-2.0 */
/* controller/csr/rule.h - decides if a CertificateSigningRequest comes from an agent that requests its own certificate.
 * Pure.
 *
 * An agent on a host talks to the API server with a client certificate that names its node, and the uid of its Node.
 * The rule approves a request only if the requester has proved that it is that node: either with a token of the agent's
 * service account that is bound to the node, or with the certificate that the request renews. The signer of the cluster
 * then issues the certificate. */
#pragma once

#include "base/err.h"
#include "codec/json.h"
#include "trust/certificate.h"

#define HF_CSR_SIGNER "kubernetes.io/kube-apiserver-client"
#define HF_CSR_USER "holdfast:agent:" /* beginning of the common name of a certificate; the node's name follows */
#define HF_CSR_GROUP "holdfast:agents"

enum {
    HF_CSR_MIN_LIFETIME_S = 600, /* shortest lifetime that an API server accepts */
    /* longest lifetime that the controller approves; limits how long a stolen certificate is of use */
    HF_CSR_MAX_LIFETIME_S = 30 * 24 * 3600,
};

enum hf_csr_verdict {
    /* leave the request alone, because the requester is not an agent, the request is for another signer, or the request
     * is already decided */
    HF_CSR_IGNORE,
    HF_CSR_APPROVE,
    HF_CSR_DENY,
};

struct hf_csr_terms {
    const char *account;                     /* user name of the agent's service account */
    uint64_t min_lifetime_s, max_lifetime_s; /* limits of spec.expirationSeconds */
};

struct hf_csr_decision {
    enum hf_csr_verdict verdict;
    const char *reason;           /* reason of the condition, one CamelCase word; NULL for HF_CSR_IGNORE */
    char message[400];            /* message of the condition: what is wrong, and what is expected */
    char node[254];               /* name of the node that the requester has proved to be; "" if none */
    char uid[HF_CERTIFICATE_UID]; /* of HF_CSR_APPROVE: uid of the Node for which the certificate is to be */
};

/* Decides on `object`, a CertificateSigningRequest as the API server has it. The fields about the requester (username,
 * groups, extra) come from the API server, and no requester can choose them. */
void hf_csr_decide(const json_t *object, const struct hf_csr_terms *terms, struct hf_csr_decision *ret_decision);

/* Checks a request that `decision` approves against the Node with the name decision->node, or that Node's metadata, as
 * the API server has it now; NULL if there is no such Node. Denies it instead unless the Node is the one for which the
 * request was made, and to which the requester's credential belongs: there is no Node, the Node has another uid, the
 * requester's token (claim node-uid) or certificate (group HF_CERTIFICATE_UID_GROUP) is of an earlier Node with the
 * same name, or the request is older than the Node. */
void hf_csr_check_node(const json_t *object, const json_t *node, struct hf_csr_decision *decision);

/* Returns a copy of `object` with the condition Approved or Denied, as `decision` says, for the subresource `approval`.
 * Returns NULL if memory runs out. The caller owns the copy. */
json_t *hf_csr_approval(const json_t *object, const struct hf_csr_decision *decision, uint64_t now_unix_ns);
