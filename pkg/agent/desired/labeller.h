/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/labeller.h - writes the desired labels (node/labels.h) to the Node object of this node by server-side
 * apply. Threads: loop thread only. */
#pragma once

#include "agent/desired/policy.h"
#include "base/backoff.h"
#include "sync/readiness.h"

struct hf_labeller {
    const struct hf_agent_env *env;
    /* the Node, the desired labels, and the intervals of the policy in effect; borrowed */
    struct hf_chosen_policy *policy;
    struct hf_delivery *delivery; /* the apply in flight; NULL if there is none */
    json_t *sent;                 /* labels that the apply in flight writes */
    struct hf_backoff backoff;
    uint64_t not_before_ns; /* monotonic time before which no apply starts */
    /* monotonic time at which the labeller abandons an apply that got no answer; it tries again after a delay */
    uint64_t deadline_ns;
    /* reason why the server refuses the labels; "" if the server does not refuse them */
    char failure[HF_READINESS_MESSAGE];
};

void hf_labeller_init(struct hf_labeller *labeller, const struct hf_agent_env *env, struct hf_chosen_policy *policy);
void hf_labeller_done(struct hf_labeller *labeller);

/* Writes the labels if a write is due. Pass may_write = true only if a write would reach the server and the source has
 * reported the Node to this process (a Node that is only in the cache may no longer exist). */
void hf_labeller_apply_if_due(struct hf_labeller *labeller, bool may_write);
/* Returns the monotonic time at which to call hf_labeller_apply_if_due() next, or HF_NEVER. */
uint64_t hf_labeller_wait_until_ns(const struct hf_labeller *labeller, bool may_write);
