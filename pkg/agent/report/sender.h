/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/sender.h - writes the EdgeNode of this node by server-side apply. At most one apply is in flight, and
 * each has a deadline for the answer. Threads: loop thread only. */
#pragma once

#include "agent/env.h"

/* Type of the function that receives the answer to an apply. `created` is true if the answer belongs to the apply that
 * creates the object. For the other arguments see struct hf_source_ops. */
typedef void hf_sender_answered(void *arg, bool created, int r, uint64_t retry_after_ns, const json_t *answer,
                                const struct hf_err *err);

struct hf_sender {
    const struct hf_agent_env *env;
    hf_sender_answered *answered;
    void *arg;
    struct hf_delivery *delivery; /* the apply in flight; NULL if there is none */
    uint64_t deadline_ns;         /* monotonic time until which the answer to the apply in flight must come */
    bool creating;                /* true if the apply in flight creates the object */
};

void hf_sender_init(struct hf_sender *sender, const struct hf_agent_env *env, hf_sender_answered *answered, void *arg);

/* hf_sender_apply_status() starts an apply of `body` to the status, and hf_sender_create() starts an apply of `body`
 * that creates the object. Both return a negative errno if the apply cannot start; the sender then does not call
 * `answered`. */
HF_MUST_USE int hf_sender_apply_status(struct hf_sender *sender, const json_t *body, uint64_t deadline_ns,
                                       struct hf_err *err);
HF_MUST_USE int hf_sender_create(struct hf_sender *sender, const json_t *body, uint64_t deadline_ns,
                                 struct hf_err *err);

/* hf_sender_abandon_late() abandons the apply in flight if the deadline of its answer has passed, and then returns
 * true. hf_sender_abandon() abandons the apply in flight in any case. */
bool hf_sender_abandon_late(struct hf_sender *sender, uint64_t now_ns);
void hf_sender_abandon(struct hf_sender *sender);
