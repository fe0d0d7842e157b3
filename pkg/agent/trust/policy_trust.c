/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/trust/policy_trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "trust/trust.h"

static const struct hf_trust_floors_kind kind = {
    .file = "policies",
    .copy = "SyncPolicies",
    .what = "policy",
    .whats = "policies",
    .max = HF_POLICY_MAX_FLOORS,
};

void hf_policy_trust_init(struct hf_policy_trust *trust, const struct hf_agent_env *env)
{
    hf_trust_floors_init(&trust->floors, env, &kind);
}

void hf_policy_trust_done(struct hf_policy_trust *trust)
{
    hf_trust_floors_done(&trust->floors);
}

/* Compares a validly signed policy with its floor, and raises the floor. Returns the reason of a refusal, or NULL. */
static const char *accept(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(HF_API_MAX_OBJECT_BYTES);

    if (hf_trust_policy_message(policy->json, &message, err) < 0)
        return "TrustUnreadable";
    const char *reason =
        hf_trust_floors_accept(&trust->floors, policy->meta.name, policy->sequence, hf_buf_view(&message), err);
    return reason != NULL && strcmp(reason, "TooMany") == 0 ? "TooManyPolicies" : reason;
}

/* Returns NULL for a signed policy that is not older than an accepted one, else the reason. */
static const char *distrust(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy, struct hf_err *err)
{
    const struct hf_agent_env *env = trust->floors.env;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;

    if (policy->n_signatures == 0) {
        (void)hf_err_set(err, EKEYREJECTED, "the policy is not signed");
        return "Unsigned";
    }
    if (hf_trust_check_policy(env->world.fs, env->params->trust_dir, policy, &verdict, err) < 0)
        return "TrustUnreadable";
    return verdict == HF_TRUST_OK ? accept(trust, policy, err) : hf_trust_reason(verdict);
}

enum hf_policy_verdict hf_policy_trust_judge(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy,
                                             const char **ret_reason, char message[HF_POLICY_MESSAGE])
{
    bool required = hf_config_requires_signed_policy(trust->floors.env->config);
    struct hf_err err = HF_ERR_INIT;

    *ret_reason = NULL;
    if (!required && policy->n_signatures == 0)
        return HF_POLICY_UNSIGNED;
    const char *reason = distrust(trust, policy, &err);
    if (reason == NULL)
        return HF_POLICY_SIGNED;
    *ret_reason = reason;
    (void)snprintf(message, HF_POLICY_MESSAGE, "SyncPolicy '%.63s': %s; %s", policy->meta.name,
                   HF_CUT(280, HF_ERR_TEXT(&err)),
                   required ? "requireSigned in the node's agent.yaml allows only signed policies"
                            : "it is in effect within the bounds for unsigned policies");
    return required ? HF_POLICY_REFUSED : HF_POLICY_UNSIGNED;
}
