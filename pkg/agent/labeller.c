/* The labels of the own Node, applied when they are due. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/parts.h"
#include "node/labels.h"

void hf_labeller_init(struct hf_agent *agent)
{
    agent->labeller.backoff = (struct hf_backoff){.base_ns = HF_NS_PER_S, .cap_ns = 30 * HF_NS_PER_S};
}

void hf_labeller_done(struct hf_agent *agent)
{
    if (agent->labeller.delivery != NULL)
        agent->params.source->abandon(agent->params.source->ctx, agent->labeller.delivery);
    agent->labeller.delivery = NULL;
    json_decref(agent->labeller.sent);
}

/* managedFields, but only our own: the rest of a Node's is ten times the rest of a Node. */
static json_t *own_fields(const json_t *node)
{
    const json_t *all = hf_json_at(node, "metadata.managedFields");
    json_t *own = json_array();

    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *entry = json_array_get(all, i);
        if (strcmp(hf_json_str_or(entry, "manager", ""), HF_FIELD_MANAGER) == 0)
            (void)json_array_append(own, entry);
    }
    return own;
}

json_t *hf_labeller_condense(const json_t *node)
{
    json_t *labels = (json_t *)(uintptr_t)hf_json_at(node, "metadata.labels");
    json_t *out = json_pack("{s:s, s:s, s:{s:s, s:s, s:o}}", "apiVersion", "v1", "kind", "Node", "metadata", "name",
                            hf_json_str_or(node, "metadata.name", ""), "uid", hf_json_str_or(node, "metadata.uid", ""),
                            "managedFields", own_fields(node));

    if (out == NULL)
        return NULL;
    if (labels != NULL && json_object_set(json_object_get(out, "metadata"), "labels", labels) < 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static bool due(const struct hf_agent *agent)
{
    /* Only a Node that was heard of in this life is written to: a cached one may be long gone. */
    return agent->follows[FOLLOW_NODE].synced && agent->node != NULL && hf_follow_delivers(agent) &&
           agent->desired_labels != NULL && agent->labeller.delivery == NULL &&
           hf_labels_due(agent->node, agent->desired_labels);
}

/* The Node as it is with the labels that were sent; NULL on OOM. */
static json_t *with_sent(const struct hf_agent *agent)
{
    json_t *node = json_deep_copy(agent->node);
    json_t *labels = json_object_get(json_object_get(node, "metadata"), "labels");
    int r = labels != NULL ? json_object_update(labels, agent->labeller.sent)
                           : hf_json_put(node, "metadata.labels", json_deep_copy(agent->labeller.sent));

    if (r == 0)
        return node;
    json_decref(node);
    return NULL;
}

static void accepted(struct hf_agent *agent, const json_t *answer, uint64_t now)
{
    struct labeller *labeller = &agent->labeller;
    json_t *fresh = NULL;

    if (!agent->params
             .source_echoes) /* a folder of statuses: it holds what we wrote, and nothing of the Node that is told */
        fresh = with_sent(agent);
    else if (hf_json_at(answer, "metadata.labels") != NULL)
        fresh = hf_labeller_condense(answer);

    hf_backoff_reset(&labeller->backoff);
    labeller->trouble[0] = '\0';
    hf_log(agent->log, HF_LOG_INFO, "labels.applied", HF_D("labels", json_object_size(labeller->sent)));
    /* The answer is the Node as it is now; without one the watch brings it, and nothing is sent again until then. */
    if (fresh != NULL) {
        json_decref(agent->node);
        agent->node = fresh;
    }
    labeller->not_before_ns = now + HF_PACE_GAP_NS;
}

static void refused(struct hf_agent *agent, int r, uint64_t retry_after_ns, const struct hf_err *err, uint64_t now)
{
    struct labeller *labeller = &agent->labeller;
    uint64_t delay = hf_backoff_next_ns(&labeller->backoff, agent->params.rng, retry_after_ns);
    bool for_a_person = r == -EACCES || r == -EBADMSG;
    char text[sizeof(err->cause) + sizeof(err->where) + 2];

    /* Rights and rules do not change by asking again: somebody must act, and is told. */
    if (for_a_person) {
        delay = HF_MAX(delay,
                       agent->policy->interval_ns / 2 + hf_rand_below(agent->params.rng, agent->policy->interval_ns));
        (void)snprintf(labeller->trouble, sizeof(labeller->trouble), "%.*s", (int)sizeof(labeller->trouble) - 1,
                       hf_err_text(err, text, sizeof(text)));
    }
    labeller->not_before_ns = now + HF_MAX(delay, HF_NS_PER_S);
    hf_log_err(agent->log, for_a_person ? HF_LOG_ERROR : HF_LOG_WARNING, "labels.failed", "node",
               agent->params.node_name, err);
}

static void answered(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err)
{
    struct hf_agent *agent = arg;
    struct labeller *labeller = &agent->labeller;
    uint64_t now = hf_mono_ns(agent->clock);

    labeller->delivery = NULL;
    if (r == 0)
        accepted(agent, answer, now);
    else
        refused(agent, r, retry_after_ns, err, now);
    json_decref(labeller->sent);
    labeller->sent = NULL;
    hf_agent_wake(agent, DUE_POLICY | DUE_STATUS);
}

static void give_up_if_late(struct hf_agent *agent, uint64_t now)
{
    struct labeller *labeller = &agent->labeller;

    if (labeller->delivery == NULL || now < labeller->give_up_ns)
        return;
    agent->params.source->abandon(agent->params.source->ctx, labeller->delivery);
    labeller->delivery = NULL;
    labeller->not_before_ns = now + hf_backoff_next_ns(&labeller->backoff, agent->params.rng, 0);
}

void hf_labeller_apply_if_due(struct hf_agent *agent)
{
    struct labeller *labeller = &agent->labeller;
    uint64_t now = hf_mono_ns(agent->clock);
    _cleanup_(hf_json_freep) json_t *body = NULL;
    struct hf_err err = HF_ERR_INIT;

    give_up_if_late(agent, now);
    if (now < labeller->not_before_ns || !due(agent))
        return;
    if (hf_labels_apply_body(agent->params.node_name, hf_json_str_or(agent->node, "metadata.uid", ""),
                             agent->desired_labels, &body) < 0)
        return;
    json_decref(labeller->sent);
    labeller->sent = json_incref(agent->desired_labels);
    labeller->give_up_ns = now + agent->policy->timeout_ns;
    int r =
        agent->params.source->apply(agent->params.source->ctx, body, NULL, answered, agent, &labeller->delivery, &err);
    if (r < 0) {
        labeller->delivery = NULL;
        labeller->not_before_ns = now + hf_backoff_next_ns(&labeller->backoff, agent->params.rng, 0);
    }
}

uint64_t hf_labeller_wait_until_ns(const struct hf_agent *agent)
{
    if (agent->labeller.delivery != NULL)
        return agent->labeller.give_up_ns;
    return due(agent) ? agent->labeller.not_before_ns : HF_NEVER;
}
