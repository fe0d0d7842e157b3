/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of SyncPolicies, with a floor per name (trust_floors.h). Blocks briefly. */
#pragma once

#include "agent/trust/trust_floors.h"
#include "api/syncpolicy.h"

enum {
    HF_POLICY_MAX_FLOORS = 256, /* signed policies; beyond, none is accepted */
    HF_POLICY_MESSAGE = 512,
};

struct hf_policy_trust {
    struct hf_trust_floors floors; /* <state>/policies */
};

enum hf_policy_verdict {
    HF_POLICY_SIGNED,   /* agent.yaml's wider bounds */
    HF_POLICY_UNSIGNED, /* bounds for unsigned ones */
    HF_POLICY_REFUSED,  /* signature required, not accepted */
};

/* Sets a damaged file aside, with a warning: old policies may be accepted. */
void hf_policy_trust_init(struct hf_policy_trust *trust, const struct hf_agent_env *env);
void hf_policy_trust_done(struct hf_policy_trust *trust);

/* *ret_reason (CamelCase, static; or NULL) and `message`: why signatures are not accepted. SIGNED: the floor rises. */
enum hf_policy_verdict hf_policy_trust_judge(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy,
                                             const char **ret_reason, char message[HF_POLICY_MESSAGE]);
