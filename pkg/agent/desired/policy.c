/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/labels.h"

int hf_policy_init(struct hf_chosen_policy *policy, const struct hf_agent_env *env)
{
    const struct hf_policy_set_input none = {.n_members = 0};

    *policy = (struct hf_chosen_policy){.env = env};
    hf_policy_trust_init(&policy->trust, env);
    hf_manifest_trust_init(&policy->entry_trust, env);
    hf_origins_init(&policy->origins, env);
    if (hf_policy_set_compose(&none, &policy->set, NULL) < 0)
        return -ENOMEM;
    policy->in_effect = policy->set->effective;
    return 0;
}

void hf_policy_done(struct hf_chosen_policy *policy)
{
    json_decref(policy->node);
    json_decref(policy->desired_labels);
    json_decref(policy->own_labels);
    json_decref(policy->labels);
    hf_policy_set_free(policy->set);
    policy->set = NULL;
    hf_policy_trust_done(&policy->trust);
    hf_manifest_trust_done(&policy->entry_trust);
    hf_origins_done(&policy->origins);
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
 * in effect. A policy whose signatures nobody can check now may be one that goes first. */
static bool judge(struct hf_chosen_policy *policy, struct hf_policy_member *member)
{
    char message[HF_POLICY_MESSAGE] = "";
    const char *reason = NULL;
    enum hf_policy_verdict verdict = hf_policy_trust_judge(&policy->trust, member->policy, &reason, message);

    if (reason != NULL && policy->distrust == NULL) {
        policy->distrust = reason;
        memcpy(policy->distrust_text, message, sizeof(message));
    }
    policy->unsure |=
        reason != NULL && (strcmp(reason, "FloorsUnreadable") == 0 || strcmp(reason, "TrustUnreadable") == 0);
    member->is_signed = verdict == HF_POLICY_SIGNED;
    return verdict != HF_POLICY_REFUSED;
}

static bool entry_is_signed(void *arg, const struct hf_manifest *entry)
{
    struct hf_chosen_policy *policy = arg;
    enum hf_manifest_reason reason;
    struct hf_err err = HF_ERR_INIT;

    return hf_manifest_trust_accepts(&policy->entry_trust, false, entry, &reason, &err);
}

static const char *incumbent(void *arg, const char *path)
{
    struct hf_chosen_policy *policy = arg;

    return hf_origins_incumbent(&policy->origins, path);
}

static int add_up(struct hf_chosen_policy *policy, const struct hf_objects *policies, const json_t *labels,
                  struct hf_policy_set **ret_set, struct hf_err *err)
{
    _cleanup_(hf_freep) struct hf_policy_member *members = calloc(policies->by_name.n + 1, sizeof(*members));
    struct hf_policy_set_input input = {
        .members = members, .incumbent = incumbent, .entry_is_signed = entry_is_signed, .arg = policy};

    policy->unsure = members == NULL;
    if (members == NULL)
        return hf_err_sys(err, -ENOMEM, "add up the SyncPolicies");
    policy->distrust = NULL;
    for (size_t i = 0; i < policies->by_name.n; i++) {
        const struct hf_object *object = policies->by_name.entries[i].value;
        const struct hf_syncpolicy *candidate = object->decoded;
        members[input.n_members] = (struct hf_policy_member){.policy = candidate};
        if (candidate != NULL && hf_selector_matches(&candidate->node_selector, labels) &&
            judge(policy, &members[input.n_members]))
            input.n_members++;
    }
    int r = hf_policy_set_compose(&input, ret_set, err);
    policy->unsure |= r < 0;
    return r;
}

/* The old sum stays in effect if the policies do not add up. */
static void choose(struct hf_chosen_policy *policy, const struct hf_objects *policies, bool proven,
                   const json_t *labels)
{
    struct hf_policy_set *set = NULL;
    struct hf_err err = HF_ERR_INIT;

    policy->policies = policies;
    policy->origins.change[0] = '\0';
    if (add_up(policy, policies, labels, &set, &err) < 0) {
        hf_log_err(policy->env->world.log, HF_LOG_ERROR, "policy.not_chosen", "node", policy->env->params->node_name,
                   &err);
        return;
    }
    hf_origins_take(&policy->origins, set, proven && !policy->unsure);
    hf_policy_set_free(policy->set);
    policy->set = set;
    policy->in_effect = set->effective;
}

/* Without a Node object our own facts replace its labels: first alone, to choose the policy; then with the policy's
 * labels. */
static int compute(struct hf_chosen_policy *policy, const struct hf_objects *policies, bool proven,
                   const struct hf_facts *facts, json_t **ret_base, json_t **ret_desired, json_t **ret_labels)
{
    const char *node_name = policy->env->params->node_name;
    _cleanup_(hf_json_freep) json_t *base = NULL, *desired = NULL;
    json_t *known = (json_t *)(uintptr_t)hf_json_at(policy->node, "metadata.labels");
    int r;

    if (policy->node != NULL)
        base = known != NULL ? json_incref(known) : json_object();
    else if (hf_labels_local(facts, node_name, NULL, &base) < 0)
        return -ENOMEM;
    choose(policy, policies, proven, base);
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
        hf_log(policy->env->world.log, HF_LOG_ERROR, "policy.distrusted", HF_S("reason", policy->distrust),
               HF_S("text", policy->distrust_text));
}

/* Logs which policies are in effect when that changes, and which sections have another origin. */
static void log_choice(struct hf_chosen_policy *policy)
{
    const struct hf_policy_set *set = policy->set;
    char names[sizeof(policy->names)] = "";
    size_t n = 0;

    for (size_t i = 0; i < set->n_origins && n < sizeof(names); i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i > 0 ? ", " : "", set->origins[i].name);
    if (strcmp(names, policy->names) != 0)
        hf_log(policy->env->world.log, HF_LOG_INFO, "policy.chosen", HF_S("policies", n > 0 ? names : "(defaults)"));
    memcpy(policy->names, names, sizeof(names));
    if (policy->origins.change[0] != '\0')
        hf_log(policy->env->world.log, HF_LOG_WARNING, "policy.sections_changed",
               HF_S("change", policy->origins.change));
}

int hf_policy_choose(struct hf_chosen_policy *policy, const struct hf_objects *policies, bool proven,
                     const struct hf_facts *facts)
{
    json_t *base = NULL, *desired = NULL, *labels = NULL;
    char before[HF_POLICY_MESSAGE];

    memcpy(before, policy->distrust != NULL ? policy->distrust_text : "",
           policy->distrust != NULL ? sizeof(before) : 1);
    int r = compute(policy, policies, proven, facts, &base, &desired, &labels), changed = 0;
    log_choice(policy);
    if (r < 0)
        return r;
    log_distrust(policy, before);
    (void)replace(&policy->desired_labels, desired);
    if (replace(&policy->own_labels, base))
        changed |= HF_POLICY_OWN_LABELS;
    if (replace(&policy->labels, labels))
        changed |= HF_POLICY_LABELS;
    return changed;
}

static bool has_entry(const struct hf_syncpolicy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_manifests; i++)
        if (strcmp(policy->manifests[i].name, name) == 0)
            return true;
    return false;
}

/* A policy of which the node does not accept the signatures, or whose entry is passed over, has the entry, too. */
uint64_t hf_policy_removal_wait_ns(struct hf_chosen_policy *policy, const char *entry)
{
    for (size_t i = 0; policy->policies != NULL && i < policy->policies->by_name.n; i++) {
        const struct hf_object *object = policy->policies->by_name.entries[i].value;
        const struct hf_syncpolicy *candidate = object->decoded;
        if (candidate != NULL && has_entry(candidate, entry) &&
            hf_selector_matches(&candidate->node_selector, policy->own_labels))
            return HF_NEVER;
    }
    return hf_origins_grace_left_ns(&policy->origins, policy->set, entry);
}
