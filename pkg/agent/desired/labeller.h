/* agent/desired/labeller.h - applies the desired labels (node/labels.h) to the Node object of this node, by server-side
 * apply. Loop thread only. */
#pragma once

#include "agent/desired/policy.h"
#include "base/backoff.h"
#include "sync/readiness.h"

struct hf_labeller {
    const struct hf_agent_env *env;
    struct hf_chosen_policy *policy; /* borrowed: holds the Node, the labels, and the policy's times */
    struct hf_delivery *delivery;    /* NULL: no apply is in flight */
    json_t *sent;                    /* the labels that the apply in flight writes */
    struct hf_backoff backoff;
    uint64_t not_before_ns;
    uint64_t deadline_ns; /* after this time without an answer, the labeller sends the labels again */
    /* reason why the server refuses the labels; "": the server does not refuse them */
    char failure[HF_READINESS_MESSAGE];
};

void hf_labeller_init(struct hf_labeller *labeller, const struct hf_agent_env *env, struct hf_chosen_policy *policy);
void hf_labeller_done(struct hf_labeller *labeller);

/* Applies the labels if an apply is due. `may_write`: the source has reported the Node to this process (a Node from the
 * cache may no longer exist), and a write would reach the server. */
void hf_labeller_apply_if_due(struct hf_labeller *labeller, bool may_write);
/* Returns the monotonic time of the next call of hf_labeller_apply_if_due(), or HF_NEVER. */
uint64_t hf_labeller_wait_until_ns(const struct hf_labeller *labeller, bool may_write);
