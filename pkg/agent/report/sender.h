/* agent/report/sender.h - writes the EdgeNode of this node by server-side apply: one apply at a time, with a deadline
 * for the answer. Loop thread only. */
#pragma once

#include "agent/env.h"

/* Called with the answer to an apply; see struct hf_source_ops for the arguments. `created`: the answer belongs to the
 * apply that creates the object. */
typedef void hf_sender_answered(void *arg, bool created, int r, uint64_t retry_after_ns, const json_t *answer,
                                const struct hf_err *err);

struct hf_sender {
    const struct hf_agent_env *env;
    hf_sender_answered *answered;
    void *arg;
    struct hf_delivery *delivery; /* NULL: no apply is in flight */
    uint64_t deadline_ns;         /* deadline of the answer */
    bool creating;                /* the apply in flight creates the object */
};

void hf_sender_init(struct hf_sender *sender, const struct hf_agent_env *env, hf_sender_answered *answered, void *arg);

/* Start to apply `body`, to the status or to create the object. Return a negative errno if the apply cannot start; the
 * sender then does not call `answered`. */
HF_MUST_USE int hf_sender_apply_status(struct hf_sender *sender, const json_t *body, uint64_t deadline_ns,
                                       struct hf_err *err);
HF_MUST_USE int hf_sender_create(struct hf_sender *sender, const json_t *body, uint64_t deadline_ns,
                                 struct hf_err *err);

/* Abandons the apply in flight if its deadline has passed; returns true if it did so. hf_sender_abandon() does not wait
 * for the deadline. */
bool hf_sender_abandon_late(struct hf_sender *sender, uint64_t now_ns);
void hf_sender_abandon(struct hf_sender *sender);
