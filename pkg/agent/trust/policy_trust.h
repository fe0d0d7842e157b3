/* SPDX-License-Identifier: Apache-2.0 */
/* Judges signatures of SyncPolicies, with a floor per name (trust_floors.h). Blocks briefly. */
#pragma once

#include "agent/trust/trust_floors.h"
#include "api/syncpolicy.h"

enum {
    HF_POLICY_MAX_FLOORS = 256, /* names of signed policies; more are not accepted */
    HF_POLICY_MESSAGE = 512,
};

struct hf_policy_trust {
    struct hf_trust_floors floors;
};

enum hf_policy_verdict {
    HF_POLICY_SIGNED,   /* agent.yaml's wider bounds apply */
    HF_POLICY_UNSIGNED, /* the bounds for unsigned policies apply */
    HF_POLICY_REFUSED,  /* no accepted signature, and one is required */
};

void hf_policy_trust_init(struct hf_policy_trust *trust, const struct hf_agent_env *env);
void hf_policy_trust_done(struct hf_policy_trust *trust);

/* Judges a policy. SIGNED: its floor rises. *ret_reason (CamelCase, static; or NULL) and `message` say why signatures
 * are not accepted. */
enum hf_policy_verdict hf_policy_trust_judge(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy,
                                             const char **ret_reason, char message[HF_POLICY_MESSAGE]);
