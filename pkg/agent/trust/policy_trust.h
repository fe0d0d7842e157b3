/* SPDX-License-Identifier: Apache-2.0 */
/* agent/trust/policy_trust.h - judges signatures of SyncPolicies, with a floor for each name (trust_floors.h), so that
 * nobody can put an old signed policy in place of a newer one. Blocks briefly. */
#pragma once

#include "agent/trust/trust_floors.h"
#include "api/syncpolicy.h"

enum {
    HF_POLICY_MAX_FLOORS = 256, /* signed policies; the signatures of further ones are not accepted */
    HF_POLICY_MESSAGE = 512,
};

struct hf_policy_trust {
    struct hf_trust_floors floors; /* <state>/policies */
};

enum hf_policy_verdict {
    HF_POLICY_SIGNED,   /* may use the wider bounds of the configuration */
    HF_POLICY_UNSIGNED, /* within the bounds for unsigned policies */
    HF_POLICY_REFUSED,  /* a signature is required, and not accepted */
};

/* A damaged file is set aside, with a warning that old policies may be accepted again. */
void hf_policy_trust_init(struct hf_policy_trust *trust, const struct hf_agent_env *env);
void hf_policy_trust_done(struct hf_policy_trust *trust);

/* *ret_reason (CamelCase, static) and `message` if refused or not accepted, else NULL. SIGNED raises the floor. */
enum hf_policy_verdict hf_policy_trust_judge(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy,
                                             const char **ret_reason, char message[HF_POLICY_MESSAGE]);
