/* SPDX-License-Identifier: Apache-2.0 */
/* Applies the desired labels (node/labels.h) to this node's Node, by server-side apply. */
#pragma once

#include "agent/desired/policy.h"
#include "base/backoff.h"
#include "sync/readiness.h"

struct hf_labeller {
    const struct hf_agent_env *env;
    struct hf_chosen_policy *policy;
    struct hf_delivery *delivery;
    json_t *sent;
    struct hf_backoff backoff;
    uint64_t not_before_ns;
    uint64_t deadline_ns;
    char failure[HF_READINESS_MESSAGE]; /* why the server refused, if a person must act; or "" */
};

void hf_labeller_init(struct hf_labeller *labeller, const struct hf_agent_env *env, struct hf_chosen_policy *policy);
void hf_labeller_done(struct hf_labeller *labeller);

/* `may_write`: the server is reachable and has reported the Node to this process (a cached Node may be gone). */
void hf_labeller_apply_if_due(struct hf_labeller *labeller, bool may_write);
uint64_t hf_labeller_wait_until_ns(const struct hf_labeller *labeller, bool may_write);
