/* SPDX-License-Identifier: Apache-2.0 */
/* Desired labels (node/labels.h) on this node's Node, by server-side apply. */
#pragma once

#include "agent/desired/policy.h"
#include "base/backoff.h"
#include "sync/readiness.h"

struct hf_labeller {
    const struct hf_agent_env *env;
    struct hf_chosen_policy *policy; /* borrowed */
    struct hf_delivery *delivery;    /* in flight, or NULL */
    json_t *sent;                    /* by that apply */
    struct hf_backoff backoff;
    uint64_t not_before_ns;             /* of the next apply */
    uint64_t deadline_ns;               /* for the answer */
    char failure[HF_READINESS_MESSAGE]; /* the server's, or "" */
};

void hf_labeller_init(struct hf_labeller *labeller, const struct hf_agent_env *env, struct hf_chosen_policy *policy);
void hf_labeller_done(struct hf_labeller *labeller);

/* may_write: reachable server, and the Node seen by this process (a cached one may be gone). */
void hf_labeller_apply_if_due(struct hf_labeller *labeller, bool may_write);
uint64_t hf_labeller_wait_until_ns(const struct hf_labeller *labeller, bool may_write);
