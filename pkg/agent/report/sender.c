/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report/sender.h"

void hf_sender_init(struct hf_sender *sender, const struct hf_agent_env *env, hf_sender_answered *answered, void *arg)
{
    *sender = (struct hf_sender){.env = env, .answered = answered, .arg = arg};
}

static void on_answer(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err)
{
    struct hf_sender *sender = arg;
    bool created = sender->creating;

    sender->delivery = NULL;
    sender->creating = false;
    sender->answered(sender->arg, created, r, retry_after_ns, answer, err);
}

static int apply(struct hf_sender *sender, const json_t *body, const char *subresource, uint64_t deadline_ns,
                 struct hf_err *err)
{
    const struct hf_source_ops *source = sender->env->params->source;

    sender->deadline_ns = deadline_ns;
    int r = source->apply(source->ctx, body, subresource, on_answer, sender, &sender->delivery, err);
    if (r < 0) {
        sender->delivery = NULL;
        sender->creating = false;
    }
    return r;
}

int hf_sender_apply_status(struct hf_sender *sender, const json_t *body, uint64_t deadline_ns, struct hf_err *err)
{
    return apply(sender, body, "status", deadline_ns, err);
}

int hf_sender_create(struct hf_sender *sender, const json_t *body, uint64_t deadline_ns, struct hf_err *err)
{
    sender->creating = true;
    return apply(sender, body, NULL, deadline_ns, err);
}

void hf_sender_abandon(struct hf_sender *sender)
{
    if (sender->delivery != NULL)
        hf_source_abandon(sender->delivery);
    sender->delivery = NULL;
    sender->creating = false;
}

bool hf_sender_abandon_late(struct hf_sender *sender, uint64_t now_ns)
{
    if (sender->delivery == NULL || now_ns < sender->deadline_ns)
        return false;
    hf_sender_abandon(sender);
    return true;
}
