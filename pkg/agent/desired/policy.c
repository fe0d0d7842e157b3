#include "agent/desired/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/labels.h"

int hf_policy_init(struct hf_chosen_policy *policy, const struct hf_agent_env *env)
{
    *policy = (struct hf_chosen_policy){.env = env, .defaults = hf_syncpolicy_default()};
    policy->in_effect = policy->defaults;
    hf_policy_trust_init(&policy->trust, env);
    return policy->defaults != NULL ? 0 : -ENOMEM;
}

void hf_policy_done(struct hf_chosen_policy *policy)
{
    json_decref(policy->node);
    json_decref(policy->desired_labels);
    json_decref(policy->own_labels);
    json_decref(policy->labels);
    hf_syncpolicy_free(policy->defaults);
    hf_policy_trust_done(&policy->trust);
}

const struct hf_syncpolicy *hf_policy_let_go(struct hf_chosen_policy *policy)
{
    const struct hf_syncpolicy *before = policy->in_effect;

    policy->in_effect = policy->defaults;
    return before;
}

bool hf_policy_set_node(struct hf_chosen_policy *policy, json_t *node)
{
    const json_t *before = hf_json_at(policy->node, "metadata.labels"), *after = hf_json_at(node, "metadata.labels");
    bool changed =
        policy->node == NULL || json_equal(before, after) == 0 ||
        strcmp(hf_json_str_or(policy->node, "metadata.uid", ""), hf_json_str_or(node, "metadata.uid", "")) != 0;

    json_decref(policy->node);
    policy->node = node;
    return changed;
}

/* Judges one policy that selects this node, and keeps the first reason against one. Returns true if the policy may be
 * in effect. */
static bool judge(struct hf_chosen_policy *policy, struct hf_syncpolicy *candidate)
{
    char message[HF_POLICY_MESSAGE] = "";
    const char *reason = NULL;
    enum hf_policy_verdict verdict = hf_policy_trust_judge(&policy->trust, candidate, &reason, message);

    if (reason != NULL && policy->distrust == NULL) {
        policy->distrust = reason;
        memcpy(policy->distrust_text, message, sizeof(message));
    }
    policy->unsure |= verdict == HF_POLICY_REFUSED && reason != NULL &&
                      (strcmp(reason, "FloorsUnreadable") == 0 || strcmp(reason, "TrustUnreadable") == 0);
    candidate->telemetry.is_signed = verdict == HF_POLICY_SIGNED;
    return verdict != HF_POLICY_REFUSED;
}

static const struct hf_syncpolicy *choose(struct hf_chosen_policy *policy, const struct hf_objects *policies,
                                          const json_t *labels)
{
    size_t n = 0;
    _cleanup_(hf_freep) const struct hf_syncpolicy **all =
        calloc(policies->by_name.n + 1, sizeof(struct hf_syncpolicy *));

    policy->unsure = all == NULL;
    if (all == NULL)
        return policy->defaults;
    policy->distrust = NULL;
    for (size_t i = 0; i < policies->by_name.n; i++) {
        const struct hf_object *object = policies->by_name.entries[i].value;
        struct hf_syncpolicy *candidate = object->decoded;
        if (candidate != NULL && hf_selector_matches(&candidate->node_selector, labels) && judge(policy, candidate))
            all[n++] = candidate;
    }
    const struct hf_syncpolicy *chosen = hf_syncpolicy_choose(all, n, labels);
    return chosen != NULL ? chosen : policy->defaults;
}

/* Without a Node object our own facts replace its labels: first alone, to choose the policy; then with the policy's
 * labels. */
static int compute(struct hf_chosen_policy *policy, const struct hf_objects *policies, const struct hf_facts *facts,
                   json_t **ret_base, json_t **ret_desired, json_t **ret_labels)
{
    const char *node_name = policy->env->params->node_name;
    _cleanup_(hf_json_freep) json_t *base = NULL, *desired = NULL;
    json_t *known = (json_t *)(uintptr_t)hf_json_at(policy->node, "metadata.labels");
    int r;

    if (policy->node != NULL)
        base = known != NULL ? json_incref(known) : json_object();
    else if (hf_labels_local(facts, node_name, NULL, &base) < 0)
        return -ENOMEM;
    policy->in_effect = choose(policy, policies, base);
    policy->labels_refused.n_errors = 0;
    r = hf_labels_desired(facts, policy->in_effect, &desired, &policy->labels_refused);
    if (r == 0 && policy->node == NULL)
        r = hf_labels_local(facts, node_name, desired, ret_labels);
    else if (r == 0)
        *ret_labels = json_incref(base);
    if (r == 0) {
        *ret_base = hf_steal(base);
        *ret_desired = hf_steal(desired);
    }
    return r;
}

/* Puts `labels` in *place and takes over the reference. Returns true if they differ from the old ones. */
static bool replace(json_t **place, json_t *labels)
{
    bool changed = *place == NULL || json_equal(*place, labels) == 0;

    json_decref(*place);
    *place = labels;
    return changed;
}

/* Logs a reason against a policy once, until it changes. */
static void log_distrust(const struct hf_chosen_policy *policy, const char *before)
{
    if (policy->distrust != NULL && strcmp(before, policy->distrust_text) != 0)
        hf_log(policy->env->log, HF_LOG_ERROR, "policy.distrusted", HF_S("reason", policy->distrust),
               HF_S("text", policy->distrust_text));
}

static void log_choice(struct hf_chosen_policy *policy)
{
    const char *name = policy->in_effect == policy->defaults ? "" : policy->in_effect->meta.name;

    if (strcmp(name, policy->name) != 0)
        hf_log(policy->env->log, HF_LOG_INFO, "policy.chosen", HF_S("name", name[0] != '\0' ? name : "(defaults)"));
    (void)snprintf(policy->name, sizeof(policy->name), "%s", name);
}

int hf_policy_choose(struct hf_chosen_policy *policy, const struct hf_objects *policies, const struct hf_facts *facts)
{
    json_t *base = NULL, *desired = NULL, *labels = NULL;
    char before[HF_POLICY_MESSAGE];

    memcpy(before, policy->distrust != NULL ? policy->distrust_text : "",
           policy->distrust != NULL ? sizeof(before) : 1);
    int r = compute(policy, policies, facts, &base, &desired, &labels), changed = 0;
    if (r < 0)
        return r;
    log_distrust(policy, before);
    (void)replace(&policy->desired_labels, desired);
    if (replace(&policy->own_labels, base))
        changed |= HF_POLICY_OWN_LABELS;
    if (replace(&policy->labels, labels))
        changed |= HF_POLICY_LABELS;
    log_choice(policy);
    return changed;
}
