/* SPDX-License-Identifier: Apache-2.0 */
/* agent/trust/policy_trust.h - judges the signatures of SyncPolicies, and keeps for each signed policy the highest
 * sequence that this node has accepted, so that nobody can put an old signed policy in place of a newer one.
 *
 * trust_floors.h explains the files. Threads: loop thread only; a call may block for a moment to read keys or to write
 * the files. */
#pragma once

#include "agent/trust/trust_floors.h"
#include "api/syncpolicy.h"

enum {
    /* maximum number of signed policies whose sequence a node keeps; it does not accept the signatures of further
     * policies */
    HF_POLICY_MAX_FLOORS = 256,
    HF_POLICY_MESSAGE = 512,
};

struct hf_policy_trust {
    struct hf_trust_floors floors; /* file <state>/policies */
};

enum hf_policy_verdict {
    /* the signatures are accepted; the policy may use the wider bounds of the node's configuration */
    HF_POLICY_SIGNED,
    HF_POLICY_UNSIGNED, /* the policy may be in effect, within the bounds for unsigned policies */
    /* the node's configuration requires a signature, and the node does not accept those of the policy */
    HF_POLICY_REFUSED,
};

/* Loads the floor of each policy (hf_trust_floors_init()). A damaged file is set aside; the log then warns that the
 * node may accept old signed policies again. */
void hf_policy_trust_init(struct hf_policy_trust *trust, const struct hf_agent_env *env);
void hf_policy_trust_done(struct hf_policy_trust *trust);

/* Judges a policy. If the node refuses the policy or does not accept the policy's signatures, sets *ret_reason to a
 * reason in CamelCase (a static string), and writes an explanation to message[HF_POLICY_MESSAGE]. Otherwise sets
 * *ret_reason to NULL. Accepting a signed policy raises its floor. */
enum hf_policy_verdict hf_policy_trust_judge(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy,
                                             const char **ret_reason, char message[HF_POLICY_MESSAGE]);
