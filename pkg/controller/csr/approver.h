/* SPDX-License-Identifier: Apache-2.0 */
/* Decides agents' CertificateSigningRequests by controller/csr/rule.h; approves none without a read of its Node.
 * Borrows what the parameters point to, except `terms`. */
#pragma once

#include "controller/csr/rule.h"
#include "controller/lead/turns.h"

struct hf_approver;

enum {
    HF_APPROVER_MAX_OPEN = 512,
    HF_APPROVER_MAX_PER_NODE = 8,
};

struct hf_approver_params {
    struct hf_leader_env env;
    struct hf_csr_terms terms;
};

struct hf_approver *hf_approver_new(const struct hf_approver_params *params, struct hf_err *err);
void hf_approver_free(struct hf_approver *approver);
HF_DEFINE_CLEANUP(struct hf_approver, hf_approver_free)

/* Call it when this process begins to lead: it decides the requests that wait. */
void hf_approver_lead(struct hf_approver *approver);
