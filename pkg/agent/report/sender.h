/* SPDX-License-Identifier: Apache-2.0 */
/* Server-side apply of this node's EdgeNode, one request at a time. */
#pragma once

#include "agent/env.h"

/* `created`: the request was hf_sender_create(). Other parameters: struct hf_source_ops. */
typedef void hf_sender_answered(void *arg, bool created, int r, uint64_t retry_after_ns, const json_t *answer,
                                const struct hf_err *err);

struct hf_sender {
    const struct hf_agent_env *env;
    hf_sender_answered *answered;
    void *arg;
    struct hf_delivery *delivery;
    uint64_t deadline_ns;
    bool creating;
};

void hf_sender_init(struct hf_sender *sender, const struct hf_agent_env *env, hf_sender_answered *answered, void *arg);

/* -errno: answered() is not called. */
HF_MUST_USE int hf_sender_apply_status(struct hf_sender *sender, const json_t *body, uint64_t deadline_ns,
                                       struct hf_err *err);
HF_MUST_USE int hf_sender_create(struct hf_sender *sender, const json_t *body, uint64_t deadline_ns,
                                 struct hf_err *err);

/* Abandons a request whose deadline has passed. Returns whether it did. */
bool hf_sender_abandon_late(struct hf_sender *sender, uint64_t now_ns);
void hf_sender_abandon(struct hf_sender *sender);
