/* SPDX-License-Identifier: Apache-2.0 */
/* 1. Which policies select the node: by its labels, else by its report.
 * 2. The agent's own rules (api/policies) add them up, with the reported sections as what was in effect before.
 * 3. Each section that the node reports gets its reason from the contest of step 2. If the node reports another policy
 *    than the contest would choose now, its report counts, and the reason says so: it has not seen a change yet. */
#include "cli/policy/policy_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/policies/policy_set.h"

enum { MAX_TEXT = 700 };

struct explain {
    const struct hf_policy_view_input *input;
    json_t *policy;                   /* status.policy of the EdgeNode, with its lists; NULL: no report */
    bool reported;                    /* the report has sections */
    struct hf_policy_member *members; /* owns the policies */
    size_t n;
    struct hf_policy_set *set;
    json_t *policies, *sections, *conflicts, *notes;
};

static json_t *item_with(const json_t *list, const char *key, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(hf_json_str_or(json_array_get(list, i), key, ""), text) == 0)
            return json_array_get(list, i);
    return NULL;
}

static int append(json_t *list, json_t *item)
{
    return item == NULL || json_array_append_new(list, item) < 0 ? -ENOMEM : 0;
}

/* ---- the report -------------------------------------------------------------------------------------------------- */

/* The sections of one policy alone. */
static json_t *sections_of(json_t *object)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    _cleanup_(hf_policy_set_freep) struct hf_policy_set *set = NULL;
    json_t *sections = json_array();

    if (issues == NULL || hf_syncpolicy_decode(object, &policy, issues) < 0)
        return sections;
    const struct hf_policy_member member = {.policy = policy, .is_signed = policy->n_signatures > 0};
    const struct hf_policy_set_input input = {.members = &member, .n_members = 1};
    if (hf_policy_set_compose(&input, &set, NULL) < 0)
        return sections;
    for (size_t i = 0; i < set->n_sections; i++)
        if (append(sections, json_pack("{s:s, s:s, s:b}", "path", set->sections[i].path, "policy", policy->meta.name,
                                       "signed", set->sections[i].is_signed)) < 0)
            return sections;
    return sections;
}

/* A node with one policy reports its name and generation alone: all sections come from it. Returns a new reference. */
static json_t *complete(const struct hf_policy_view_input *input)
{
    json_t *policy = hf_json_mutable(hf_json_at(input->edgenode, "status.policy"));
    const char *name = hf_json_str_or(policy, "name", "");

    if (name[0] == '\0' || json_object_get(policy, "policies") != NULL)
        return json_incref(policy);
    json_t *copy = json_copy(policy);
    json_t *generation = json_integer(hf_json_int_or(policy, "observedGeneration", 0));
    (void)json_object_set_new(copy, "policies",
                              json_pack("[{s:s, s:o}]", "name", name, "observedGeneration", generation));
    for (size_t i = 0; i < json_array_size(input->policies); i++) {
        json_t *object = json_array_get(input->policies, i);
        if (strcmp(hf_json_str_or(object, "metadata.name", ""), name) == 0)
            (void)json_object_set_new(copy, "sections", sections_of(object));
    }
    return copy;
}

/* ---- 1. members -------------------------------------------------------------------------------------------------- */

/* A node that reports a section of a policy says whether the signatures count there; otherwise they do if there are
 * some. */
static bool counts_as_signed(const struct explain *explain, const struct hf_syncpolicy *policy)
{
    const json_t *section = item_with(json_object_get(explain->policy, "sections"), "policy", policy->meta.name);

    return section != NULL ? hf_json_bool_or(section, "signed", false) : policy->n_signatures > 0;
}

static bool selects(const struct explain *explain, const struct hf_syncpolicy *policy)
{
    if (explain->input->labels != NULL)
        return hf_selector_matches(&policy->node_selector, explain->input->labels);
    return item_with(json_object_get(explain->policy, "policies"), "name", policy->meta.name) != NULL;
}

static int note_invalid(struct explain *explain, const json_t *object, const struct hf_issues *issues)
{
    return append(explain->notes, json_sprintf("SyncPolicy '%s' is not valid, so no node takes it: %s: %s",
                                               hf_json_str_or(object, "metadata.name", ""), issues->errors[0].path,
                                               issues->errors[0].text));
}

static int take_policy(struct explain *explain, json_t *object)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    int r = issues != NULL ? hf_syncpolicy_decode(object, &policy, issues) : -ENOMEM;

    if (r == -EBADMSG)
        return note_invalid(explain, object, issues);
    if (r < 0 || !selects(explain, policy))
        return r;
    explain->members[explain->n].is_signed = counts_as_signed(explain, policy);
    explain->members[explain->n++].policy = hf_steal(policy);
    return 0;
}

static int take_policies(struct explain *explain)
{
    const json_t *policies = explain->input->policies;
    int r = 0;

    explain->members = calloc(json_array_size(policies) + 1, sizeof(*explain->members));
    if (explain->members == NULL)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < json_array_size(policies); i++)
        r = take_policy(explain, json_array_get(policies, i));
    return r;
}

/* ---- 2. the contest ---------------------------------------------------------------------------------------------- */

static const char *incumbent(void *arg, const char *path)
{
    const struct explain *explain = arg;

    return hf_json_str(item_with(json_object_get(explain->policy, "sections"), "path", path), "policy");
}

static int compose(struct explain *explain, struct hf_err *err)
{
    const struct hf_policy_set_input input = {
        .members = explain->members, .n_members = explain->n, .incumbent = incumbent, .arg = explain};

    return hf_policy_set_compose(&input, &explain->set, err);
}

/* ---- 3. reasons -------------------------------------------------------------------------------------------------- */

static void add_reason(char why[MAX_TEXT], const struct hf_policy_passed_over *passed)
{
    const char *other = passed->other->name;
    size_t n = strlen(why);
    char *at = why + n;

    if (n > 0) {
        (void)snprintf(at, MAX_TEXT - n, "; ");
        n = strlen(why);
        at = why + n;
    }
    if (passed->why == HF_POLICY_PASSED_SAME)
        (void)snprintf(at, MAX_TEXT - n, "%s says the same", other);
    else if (passed->why == HF_POLICY_PASSED_UNSIGNED)
        (void)snprintf(at, MAX_TEXT - n, "signed, and %s is not", other);
    else if (passed->why == HF_POLICY_PASSED_PRIORITY)
        (void)snprintf(at, MAX_TEXT - n, "before %s (priority %jd)", other, (intmax_t)passed->other->priority);
    else
        (void)snprintf(at, MAX_TEXT - n, "conflict with %s", other);
}

/* Writes why the policy `name` decides the section, by the contest. */
static void reason_of(const struct explain *explain, const char *path, const char *name, char why[MAX_TEXT])
{
    const struct hf_policy_section *now = hf_policy_set_find(explain->set, path);

    why[0] = '\0';
    if (now == NULL) {
        (void)snprintf(why, MAX_TEXT, "the node has it; no policy sets it any more");
        return;
    }
    if (strcmp(now->from->name, name) != 0) {
        (void)snprintf(why, MAX_TEXT, "the node has it; the policies now say %s", now->from->name);
        return;
    }
    for (size_t i = 0; i < explain->set->n_passed; i++)
        if (strcmp(explain->set->passed[i].path, path) == 0 && explain->set->passed[i].winner == now->from)
            add_reason(why, &explain->set->passed[i]);
    if (why[0] == '\0')
        (void)snprintf(why, MAX_TEXT, "no other policy sets it");
}

static json_t *priority_of(const struct explain *explain, const char *name)
{
    for (size_t i = 0; i < explain->n; i++)
        if (strcmp(explain->members[i].policy->meta.name, name) == 0)
            return json_integer(explain->members[i].policy->priority);
    return json_null();
}

static int add_section(struct explain *explain, const char *path, const char *policy, bool is_signed, const char *why)
{
    return append(explain->sections, json_pack("{s:s, s:s, s:o, s:b, s:s}", "path", path, "policy", policy, "priority",
                                               priority_of(explain, policy), "signed", is_signed, "why", why));
}

static int add_reported(struct explain *explain)
{
    const json_t *sections = json_object_get(explain->policy, "sections");
    char why[MAX_TEXT];
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(sections); i++) {
        const json_t *item = json_array_get(sections, i);
        const char *path = hf_json_str_or(item, "path", ""), *policy = hf_json_str_or(item, "policy", "");
        reason_of(explain, path, policy, why);
        r = add_section(explain, path, policy, hf_json_bool_or(item, "signed", false), why);
    }
    return r;
}

/* The sections of the contest that the node does not report. */
static int add_others(struct explain *explain)
{
    const json_t *reported = json_object_get(explain->policy, "sections");
    char why[MAX_TEXT];
    int r = 0;

    for (size_t i = 0; r == 0 && i < explain->set->n_sections; i++) {
        const struct hf_policy_section *section = &explain->set->sections[i];
        if (explain->reported && item_with(reported, "path", section->path) != NULL)
            continue;
        reason_of(explain, section->path, section->from->name, why);
        if (explain->reported)
            (void)snprintf(why, sizeof(why), "not in effect yet: the node has not reported it");
        r = add_section(explain, section->path, section->from->name, section->is_signed, why);
    }
    return r;
}

static int add_conflicts(struct explain *explain)
{
    char text[MAX_TEXT];
    int r = 0;

    for (size_t i = 0; r == 0 && i < explain->set->n_passed; i++) {
        const struct hf_policy_passed_over *passed = &explain->set->passed[i];
        if (hf_policy_set_is_conflict(passed->why))
            r = append(explain->conflicts,
                       json_pack("{s:s, s:s, s:s}", "path", passed->path, "policy", passed->other->name, "text",
                                 hf_policy_set_passed_text(passed, text, sizeof(text))));
    }
    return r;
}

/* ---- policies and notes ------------------------------------------------------------------------------------------ */

static int add_policy(struct explain *explain, const struct hf_policy_origin *origin)
{
    const json_t *listed = item_with(json_object_get(explain->policy, "policies"), "name", origin->name);
    int64_t has = hf_json_int_or(listed, "observedGeneration", 0);
    bool current = !explain->reported || (listed != NULL && has == origin->generation);
    json_t *item = json_pack("{s:s, s:I, s:I, s:b, s:b}", "name", origin->name, "priority",
                             (json_int_t)origin->priority, "generation", (json_int_t)origin->generation, "signed",
                             origin->is_signed, "inEffect", !explain->reported || listed != NULL);

    if (item != NULL && !current &&
        json_object_set_new(item, "reason",
                            listed != NULL ? json_sprintf("the node has generation %jd", (intmax_t)has)
                                           : json_string("the node has not reported it")) < 0) {
        json_decref(item);
        return -ENOMEM;
    }
    return append(explain->policies, item);
}

/* What the node itself says about its policies. */
static int add_conditions(struct explain *explain)
{
    static const struct {
        const char *type, *status;
    } wrong[] = {{"PolicyConflict", "True"}, {"PolicyTrusted", "False"}, {"PolicyActedOn", "False"}};
    const json_t *conditions = hf_json_at(explain->input->edgenode, "status.conditions");
    int r = 0;

    for (size_t i = 0; r == 0 && i < HF_LEN(wrong); i++) {
        const json_t *condition = item_with(conditions, "type", wrong[i].type);
        if (condition != NULL && strcmp(hf_json_str_or(condition, "status", ""), wrong[i].status) == 0)
            r = append(explain->notes, json_sprintf("%s=%s: %s", wrong[i].type, wrong[i].status,
                                                    hf_json_str_or(condition, "message", "")));
    }
    return r;
}

static int fill(struct explain *explain)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < explain->set->n_origins; i++)
        r = add_policy(explain, &explain->set->origins[i]);
    if (r == 0 && explain->reported)
        r = add_reported(explain);
    if (r == 0)
        r = add_others(explain);
    if (r == 0)
        r = add_conflicts(explain);
    if (r == 0)
        r = add_conditions(explain);
    if (r == 0 && explain->input->edgenode != NULL && !explain->reported)
        r = append(explain->notes, json_string("the node reports no sections: this is what the policies add up to"));
    if (r == 0 && explain->input->labels == NULL)
        r = append(explain->notes,
                   json_string("the node's labels are unknown: only policies that it reports are here"));
    return r;
}

static void explain_done(struct explain *explain)
{
    for (size_t i = 0; i < explain->n; i++) {
        union {
            const struct hf_syncpolicy *borrowed;
            struct hf_syncpolicy *owned;
        } policy = {.borrowed = explain->members[i].policy};
        hf_syncpolicy_free(policy.owned);
    }
    free(explain->members);
    json_decref(explain->policy);
    hf_policy_set_free(explain->set);
    json_decref(explain->policies);
    json_decref(explain->sections);
    json_decref(explain->conflicts);
    json_decref(explain->notes);
}

int hf_policy_view_make(const struct hf_policy_view_input *input, json_t **ret_view, struct hf_err *err)
{
    json_t *policy = complete(input);
    struct explain explain = {.input = input,
                              .policy = policy,
                              .reported = json_is_array(json_object_get(policy, "sections")),
                              .policies = json_array(),
                              .sections = json_array(),
                              .conflicts = json_array(),
                              .notes = json_array()};
    int r = take_policies(&explain);

    if (r < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = compose(&explain, err);
    if (r == 0 && fill(&explain) < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0) {
        *ret_view = json_pack("{s:s?, s:b, s:O, s:O, s:O, s:O}", "node", input->node, "reported", explain.reported,
                              "policies", explain.policies, "sections", explain.sections, "conflicts",
                              explain.conflicts, "notes", explain.notes);
        if (*ret_view == NULL)
            r = hf_err_set(err, ENOMEM, "out of memory");
    }
    explain_done(&explain);
    return r;
}
