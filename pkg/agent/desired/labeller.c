/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/labeller.h"

#include <errno.h>
#include <stdio.h>

#include "agent/desired/own_node.h"
#include "agent/turn.h"
#include "node/labels.h"
#include "sync/pace.h"

void hf_labeller_init(struct hf_labeller *labeller, const struct hf_agent_env *env, struct hf_chosen_policy *policy)
{
    *labeller = (struct hf_labeller){
        .env = env, .policy = policy, .backoff = {.base_ns = HF_NS_PER_S, .cap_ns = 30 * HF_NS_PER_S}};
}

static void abandon(struct hf_labeller *labeller)
{
    hf_source_abandon(labeller->delivery);
    labeller->delivery = NULL;
}

void hf_labeller_done(struct hf_labeller *labeller)
{
    if (labeller->env == NULL)
        return;
    abandon(labeller);
    json_decref(labeller->sent);
}

static bool due(const struct hf_labeller *labeller, bool may_write)
{
    const struct hf_chosen_policy *policy = labeller->policy;

    return may_write && policy->node != NULL && policy->desired_labels != NULL && labeller->delivery == NULL &&
           hf_labels_due(policy->node, policy->desired_labels);
}

/* The answer is the Node as it is now. Without one, the labeller waits until the watch brings the Node. A folder of
 * statuses holds what we wrote, and nothing of the Node that the source reports. */
static void accepted(struct hf_labeller *labeller, const json_t *answer, uint64_t now)
{
    struct hf_chosen_policy *policy = labeller->policy;
    json_t *fresh = NULL;

    if (!labeller->env->params->source_echoes)
        fresh = hf_own_node_with_labels(policy->node, labeller->sent);
    else if (hf_json_at(answer, "metadata.labels") != NULL)
        fresh = hf_own_node_condense(answer);

    hf_backoff_reset(&labeller->backoff);
    labeller->failure[0] = '\0';
    hf_log(labeller->env->world.log, HF_LOG_INFO, "labels.applied", HF_D("labels", json_object_size(labeller->sent)));
    if (fresh != NULL)
        (void)hf_policy_set_node(policy, fresh);
    labeller->not_before_ns = now + HF_PACE_GAP_NS;
}

/* A repetition does not change rights and rules: a condition asks for a person, and the next try is far away. */
static void refused(struct hf_labeller *labeller, int r, uint64_t retry_after_ns, const struct hf_err *err,
                    uint64_t now)
{
    const struct hf_agent_params *params = labeller->env->params;
    uint64_t interval = labeller->policy->in_effect->interval_ns;
    uint64_t delay = hf_backoff_next_ns(&labeller->backoff, labeller->env->world.rng, retry_after_ns);
    bool for_a_person = r == -EACCES || r == -EBADMSG;

    if (for_a_person) {
        delay = HF_MAX(delay, interval / 2 + hf_rand_below(labeller->env->world.rng, interval));
        (void)snprintf(labeller->failure, sizeof(labeller->failure), "%.*s", (int)sizeof(labeller->failure) - 1,
                       HF_ERR_TEXT(err));
    }
    labeller->not_before_ns = now + HF_MAX(delay, HF_NS_PER_S);
    hf_log_err(labeller->env->world.log, for_a_person ? HF_LOG_ERROR : HF_LOG_WARNING, "labels.failed", "node",
               params->node_name, err);
}

static void answered(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err)
{
    struct hf_labeller *labeller = arg;
    uint64_t now = hf_mono_ns(labeller->env->world.clock);

    labeller->delivery = NULL;
    if (r == 0)
        accepted(labeller, answer, now);
    else
        refused(labeller, r, retry_after_ns, err, now);
    json_decref(labeller->sent);
    labeller->sent = NULL;
    hf_turn_wake(labeller->env->turn, HF_DUE_POLICY | HF_DUE_STATUS);
}

static void back_off(struct hf_labeller *labeller, uint64_t now)
{
    labeller->not_before_ns = now + hf_backoff_next_ns(&labeller->backoff, labeller->env->world.rng, 0);
}

void hf_labeller_apply_if_due(struct hf_labeller *labeller, bool may_write)
{
    const struct hf_agent_params *params = labeller->env->params;
    const struct hf_chosen_policy *policy = labeller->policy;
    uint64_t now = hf_mono_ns(labeller->env->world.clock);
    _cleanup_(hf_json_freep) json_t *body = NULL;
    struct hf_err err = HF_ERR_INIT;

    if (labeller->delivery != NULL && now >= labeller->deadline_ns) {
        abandon(labeller);
        back_off(labeller, now);
    }
    if (now < labeller->not_before_ns || !due(labeller, may_write))
        return;
    if (hf_labels_apply_body(params->node_name, hf_json_str_or(policy->node, "metadata.uid", ""),
                             policy->desired_labels, &body) < 0)
        return;
    json_decref(labeller->sent);
    labeller->sent = json_incref(policy->desired_labels);
    labeller->deadline_ns = now + policy->in_effect->timeout_ns;
    if (params->source->apply(params->source->ctx, body, NULL, answered, labeller, &labeller->delivery, &err) < 0) {
        labeller->delivery = NULL;
        back_off(labeller, now);
    }
}

uint64_t hf_labeller_wait_until_ns(const struct hf_labeller *labeller, bool may_write)
{
    if (labeller->delivery != NULL)
        return labeller->deadline_ns;
    return due(labeller, may_write) ? labeller->not_before_ns : HF_NEVER;
}
