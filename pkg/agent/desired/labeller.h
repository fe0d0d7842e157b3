/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/labeller.h - writes the desired labels (node/labels.h) to this node's Node by server-side apply. */
#pragma once

#include "agent/desired/policy.h"
#include "base/backoff.h"
#include "sync/readiness.h"

struct hf_labeller {
    const struct hf_agent_env *env;
    struct hf_chosen_policy *policy; /* Node, labels and intervals; borrowed */
    struct hf_delivery *delivery;    /* in flight, or NULL */
    json_t *sent;                    /* labels of the apply in flight */
    struct hf_backoff backoff;
    uint64_t not_before_ns;             /* no apply before */
    uint64_t deadline_ns;               /* when an apply without an answer is abandoned and tried again */
    char failure[HF_READINESS_MESSAGE]; /* server's reason to refuse the labels, or "" */
};

void hf_labeller_init(struct hf_labeller *labeller, const struct hf_agent_env *env, struct hf_chosen_policy *policy);
void hf_labeller_done(struct hf_labeller *labeller);

/* may_write: the server is reachable, and the source has reported the Node to this process (a cached one may be
 * gone). */
void hf_labeller_apply_if_due(struct hf_labeller *labeller, bool may_write);
uint64_t hf_labeller_wait_until_ns(const struct hf_labeller *labeller, bool may_write);
