/* SPDX-License-Identifier: Apache-2.0 */
/* How the counts stay right: each fact about a node that a policy counts is one bit of share(). Before a node changes,
 * its shares leave all counts; after the change they come back. A new or changed policy counts all nodes anew.
 *
 * A report becomes a small set of pairs, from the name of a policy to "<flags><generation>", which the pool of labels
 * stores: in a fleet most reports are equal, and the numbers of two equal sets are the same. The pair "" says that the
 * agent reports: its EdgeNode is not marked as silent, and its agent is not stopped.
 *
 * Nodes are Node objects; an EdgeNode tells the policies in effect. A changed node costs one look at each policy, a
 * policy one at each node. */
#include "controller/policies/policy_tally.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/conditions.h"
#include "api/field/selector.h"
#include "api/meta.h"
#include "base/format.h"
#include "base/strmap.h"
#include "rollout/labels.h"

enum { SELECTED = 1, TAKEN = 2, LAGGING = 4, IN_EFFECT = 8, CONFLICT = 16 };

#define PRESENT "" /* key of the pair that says that the agent reports; no policy has this name */
#define FLAG(bit) ((char)('@' + (bit)))

struct tally_node {
    bool has_node, has_report;
    uint32_t labels, report; /* sets of the two pools */
};

struct tally_policy {
    struct hf_label_match match;
    bool invalid;        /* nodeSelector is not valid: it selects no node */
    char generation[24]; /* metadata.generation in decimal */
    struct hf_policy_counts counts;
};

struct hf_policy_tally {
    struct hf_strmap nodes, policies;
    struct hf_label_pool labels, reports;
};

/* ---- what a node counts as --------------------------------------------------------------------------------------- */

static unsigned share(const struct hf_policy_tally *tally, const char *policy_name, const struct tally_policy *policy,
                      const char *node_name, const struct tally_node *node)
{
    const char *report = hf_label_pool_value(&tally->reports, node->report, policy_name, node_name);
    unsigned bits = 0;

    if (!node->has_node)
        return 0;
    if (report != NULL)
        bits = (unsigned)(report[0] - '@') & (IN_EFFECT | CONFLICT);
    if (policy->invalid || !hf_label_match_test(&policy->match, &tally->labels, node->labels, node_name))
        return bits;
    bits |= SELECTED;
    if (report != NULL && strcmp(report + 1, policy->generation) == 0)
        return bits | TAKEN;
    return hf_label_pool_value(&tally->reports, node->report, PRESENT, node_name) != NULL ? bits | LAGGING : bits;
}

static void add(struct hf_policy_counts *counts, unsigned bits, unsigned step)
{
    counts->selected += bits & SELECTED ? step : 0;
    counts->taken += bits & TAKEN ? step : 0;
    counts->lagging += bits & LAGGING ? step : 0;
    counts->in_effect += bits & IN_EFFECT ? step : 0;
    counts->conflicts += bits & CONFLICT ? step : 0;
}

static void count_node(struct hf_policy_tally *tally, const char *name, const struct tally_node *node, unsigned step)
{
    for (size_t i = 0; i < tally->policies.n; i++) {
        struct tally_policy *policy = tally->policies.entries[i].value;
        add(&policy->counts, share(tally, tally->policies.entries[i].key, policy, name, node), step);
    }
}

static void release(struct hf_policy_tally *tally, const struct tally_node *node)
{
    hf_label_pool_release(&tally->labels, node->labels);
    hf_label_pool_release(&tally->reports, node->report);
}

static void forget_unused(struct hf_policy_tally *tally, const char *name, const struct tally_node *node)
{
    if (node->has_node || node->has_report)
        return;
    release(tally, node);
    (void)hf_strmap_remove(&tally->nodes, name);
}

/* Puts *new, which owns its sets, in the place of *node. */
static void change_node(struct hf_policy_tally *tally, const char *name, struct tally_node *node,
                        const struct tally_node *new)
{
    const struct tally_node old = *node;
    bool same = old.has_node == new->has_node &&old.labels == new->labels &&old.report == new->report;

    if (!same)
        count_node(tally, name, node, (unsigned)-1);
    *node = *new;
    if (!same)
        count_node(tally, name, node, 1);
    release(tally, &old);
    forget_unused(tally, name, node);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

/* Each node holds a reference to its two sets; set 0 of a pool has no labels. */
static int node_of(struct hf_policy_tally *tally, const json_t *object, const char **ret_name,
                   struct tally_node **ret_node)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct tally_node *node = hf_strmap_get(&tally->nodes, name);

    if (name[0] == '\0')
        return -EBADMSG;
    if (node == NULL) {
        node = calloc(1, sizeof(*node));
        if (node == NULL || hf_strmap_put(&tally->nodes, name, node) < 0) {
            free(node);
            return -ENOMEM;
        }
        tally->labels.sets[0].refs++;
        tally->reports.sets[0].refs++;
    }
    *ret_name = name;
    *ret_node = node;
    return 0;
}

/* Changes one half of the node, whose new set comes from `pairs`. */
static int take_half(struct hf_policy_tally *tally, const json_t *object, bool is_node, const json_t *pairs)
{
    const char *name = NULL;
    struct tally_node *node = NULL, new;
    int r = node_of(tally, object, &name, &node);

    if (r < 0)
        return r;
    new = *node;
    if (is_node)
        r = hf_label_pool_take(&tally->labels, pairs, name, &new.labels);
    else
        r = hf_label_pool_take(&tally->reports, pairs, name, &new.report);
    if (r < 0) {
        forget_unused(tally, name, node);
        return r;
    }
    new.has_node |= is_node;
    new.has_report |= !is_node;
    if (is_node) /* the half that stays */
        tally->reports.sets[new.report].refs++;
    else
        tally->labels.sets[new.labels].refs++;
    change_node(tally, name, node, &new);
    return 0;
}

static void drop_half(struct hf_policy_tally *tally, const char *name, bool is_node)
{
    struct tally_node *node = hf_strmap_get(&tally->nodes, name), new;

    if (node == NULL || !(is_node ? node->has_node : node->has_report))
        return;
    new = *node;
    if (is_node) {
        new.has_node = false;
        new.labels = 0;
    } else {
        new.has_report = false;
        new.report = 0;
    }
    tally->labels.sets[new.labels].refs++;
    tally->reports.sets[new.report].refs++;
    change_node(tally, name, node, &new);
}

int hf_policy_tally_take_node(struct hf_policy_tally *tally, const json_t *node)
{
    return take_half(tally, node, true, hf_json_at(node, "metadata.labels"));
}

void hf_policy_tally_drop_node(struct hf_policy_tally *tally, const char *name)
{
    drop_half(tally, name, true);
}

void hf_policy_tally_drop_edgenode(struct hf_policy_tally *tally, const char *name)
{
    drop_half(tally, name, false);
}

/* ---- reports ----------------------------------------------------------------------------------------------------- */

/* Returns true if the text has the name as a whole word: neither a letter, a digit, '-' nor '.' touches it. */
static bool names(const char *text, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name)) {
        char before = at > text ? at[-1] : ' ', after = at[n];
        if (!isalnum((unsigned char)before) && before != '-' && before != '.' && !isalnum((unsigned char)after) &&
            after != '-' && (after != '.' || !isalnum((unsigned char)at[n + 1])))
            return true;
    }
    return false;
}

static bool has_section(const json_t *sections, const char *policy)
{
    for (size_t i = 0; i < json_array_size(sections); i++)
        if (strcmp(hf_json_str_or(json_array_get(sections, i), "policy", ""), policy) == 0)
            return true;
    return false;
}

/* An agent that knows of one policy only reports no list: the policy is in effect as a whole. */
static int add_pair(json_t *pairs, const json_t *status, const json_t *item)
{
    const json_t *policy = json_object_get(status, "policy"),
                 *conflict = hf_conditions_find(json_object_get(status, "conditions"), "PolicyConflict");
    const char *name = hf_json_str_or(item, "name", "");
    char value[32];
    unsigned bits = 0;

    if (name[0] == '\0')
        return 0;
    if (item == policy || has_section(json_object_get(policy, "sections"), name))
        bits |= IN_EFFECT;
    if (strcmp(hf_json_str_or(conflict, "status", ""), "True") == 0 &&
        names(hf_json_str_or(conflict, "message", ""), name))
        bits |= CONFLICT;
    (void)snprintf(value, sizeof(value), "%c%" PRId64, FLAG(bits), hf_json_int_or(item, "observedGeneration", 0));
    return json_object_set_new(pairs, name, json_string(value)) < 0 ? -ENOMEM : 0;
}

static bool reports(const json_t *status)
{
    return json_object_size(status) > 0 && hf_json_str_or(status, "agent.state", "")[0] == '\0' &&
           strcmp(hf_json_str_or(hf_conditions_find(json_object_get(status, "conditions"), "Ready"), "reason", ""),
                  "NodeSilent") != 0;
}

int hf_policy_tally_take_edgenode(struct hf_policy_tally *tally, const json_t *edgenode)
{
    const json_t *status = json_object_get(edgenode, "status"), *policy = json_object_get(status, "policy");
    const json_t *list = json_object_get(policy, "policies");
    _cleanup_(hf_json_freep) json_t *pairs = json_object();
    int r = pairs == NULL ? -ENOMEM : 0;

    if (r == 0 && reports(status) && json_object_set_new(pairs, PRESENT, json_string("reports")) < 0)
        r = -ENOMEM;
    if (r == 0 && !json_is_array(list))
        r = add_pair(pairs, status, policy);
    for (size_t i = 0; i < json_array_size(list) && r == 0; i++)
        r = add_pair(pairs, status, json_array_get(list, i));
    return r < 0 ? r : take_half(tally, edgenode, false, pairs);
}

/* ---- policies ---------------------------------------------------------------------------------------------------- */

static void free_policy(void *pointer)
{
    struct tally_policy *policy = pointer;

    hf_label_match_done(&policy->match);
    free(policy);
}

static int read_selector(const json_t *object, struct tally_policy *policy)
{
    _cleanup_(hf_selector_done) struct hf_selector selector = {0};
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    int r = issues == NULL
                ? -ENOMEM
                : hf_selector_read(hf_json_mutable(hf_json_at(object, "spec.nodeSelector")), &selector, issues);

    policy->invalid = r == -EBADMSG;
    if (r == -EBADMSG)
        return 0;
    return r < 0 ? r : hf_label_match_init(&policy->match, &selector);
}

int hf_policy_tally_take_policy(struct hf_policy_tally *tally, const json_t *object)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct tally_policy *policy;

    if (name[0] == '\0')
        return -EBADMSG;
    if (tally->policies.n >= HF_POLICY_TALLY_MAX && hf_strmap_get(&tally->policies, name) == NULL)
        return -E2BIG;
    policy = calloc(1, sizeof(*policy));
    if (policy == NULL || read_selector(object, policy) < 0 || hf_strmap_put(&tally->policies, name, policy) < 0) {
        if (policy != NULL)
            free_policy(policy);
        return -ENOMEM;
    }
    (void)snprintf(policy->generation, sizeof(policy->generation), "%" PRId64,
                   hf_json_int_or(object, "metadata.generation", 0));
    for (size_t i = 0; i < tally->nodes.n; i++)
        add(&policy->counts, share(tally, name, policy, tally->nodes.entries[i].key, tally->nodes.entries[i].value), 1);
    return 0;
}

void hf_policy_tally_drop_policy(struct hf_policy_tally *tally, const char *name)
{
    (void)hf_strmap_remove(&tally->policies, name);
}

const struct hf_policy_counts *hf_policy_tally_counts(const struct hf_policy_tally *tally, const char *name)
{
    const struct tally_policy *policy = hf_strmap_get(&tally->policies, name);

    return policy != NULL ? &policy->counts : NULL;
}

/* ---- the status -------------------------------------------------------------------------------------------------- */

struct policy_verdict {
    bool ready, reconciling, stalled;
    const char *reason;
    char message[600];
};

/* Returns the first node by name that has the bit. */
static const char *example(const struct hf_policy_tally *tally, const char *name, const struct tally_policy *policy,
                           unsigned bit)
{
    for (size_t i = 0; i < tally->nodes.n; i++) {
        const struct hf_strmap_entry *node = &tally->nodes.entries[i];
        if (share(tally, name, policy, node->key, node->value) & bit)
            return node->key;
    }
    return "";
}

static void judge_conflict(const struct hf_policy_tally *tally, const char *name, const struct tally_policy *policy,
                           struct policy_verdict *v)
{
    unsigned n = policy->counts.conflicts;
    const char *node = example(tally, name, policy, CONFLICT);

    *v = (struct policy_verdict){.stalled = true, .reason = "PolicyConflict"};
    (void)snprintf(v->message, sizeof(v->message),
                   "%u %s a conflict with a policy of equal priority, such as %s: see `holdfast policy explain %s`", n,
                   hf_noun(n, "node reports", "nodes report"), node, node);
}

static void judge_lagging(const struct hf_policy_tally *tally, const char *name, const struct tally_policy *policy,
                          struct policy_verdict *v)
{
    const struct hf_policy_counts *n = &policy->counts;
    const char *node = example(tally, name, policy, LAGGING);

    *v = (struct policy_verdict){.reconciling = true, .reason = "Progressing"};
    (void)snprintf(v->message, sizeof(v->message),
                   "%u of %u selected %s %s generation %s; %u %s it not yet, such as %s: see `holdfast policy explain "
                   "%s`",
                   n->taken, n->selected, hf_noun(n->selected, "node", "nodes"), hf_noun(n->taken, "has", "have"),
                   policy->generation, n->lagging, hf_noun(n->lagging, "has", "have"), node, node);
}

/* Nodes that are away are nobody's fault: they hold up no verdict (docs/DESIGN.md, section 3, rule 11). */
static void judge_taken(const struct tally_policy *policy, struct policy_verdict *v)
{
    const struct hf_policy_counts *n = &policy->counts;
    unsigned away = n->selected - n->taken;
    char others[60] = "";
    const char *rest = "";

    *v = (struct policy_verdict){.ready = true, .reason = "InEffect"};
    if (n->selected == 0) {
        v->reason = "NoNodes";
        (void)snprintf(v->message, sizeof(v->message), "nodeSelector selects no node");
        return;
    }
    if (away > 0)
        (void)snprintf(others, sizeof(others), "; %u %s away", away, hf_noun(away, "is", "are"));
    if (n->taken > 0 && n->in_effect == 0) {
        v->reason = "Overridden";
        rest = "; no section of it is in effect there: other policies come first, or it sets none";
    }
    (void)snprintf(v->message, sizeof(v->message), "%u of %u selected %s %s generation %s%s%s", n->taken, n->selected,
                   hf_noun(n->selected, "node", "nodes"), hf_noun(n->taken, "has", "have"), policy->generation, others,
                   rest);
}

static void judge(const struct hf_policy_tally *tally, const char *name, const struct tally_policy *policy,
                  struct policy_verdict *v)
{
    if (policy->invalid) {
        *v = (struct policy_verdict){.stalled = true, .reason = "Invalid"};
        (void)snprintf(v->message, sizeof(v->message), "nodeSelector is not valid, so that it selects no node");
    } else if (policy->counts.conflicts > 0) {
        judge_conflict(tally, name, policy, v);
    } else if (policy->counts.lagging > 0) {
        judge_lagging(tally, name, policy, v);
    } else {
        judge_taken(policy, v);
    }
}

static int set_condition(json_t *conditions, const json_t *old, const char *type, const struct policy_verdict *v,
                         bool is_true, int64_t generation, uint64_t now_unix_ns)
{
    const struct hf_condition condition = {type, is_true ? "True" : "False", v->reason, v->message, generation};
    const json_t *entry =
        hf_conditions_find(json_object_get(old, "conditions"), type); /* brings the time of the last transition */

    if (entry != NULL && json_array_append_new(conditions, json_deep_copy(entry)) < 0)
        return -ENOMEM;
    return hf_conditions_set(conditions, &condition, now_unix_ns);
}

/* Reconciling and Stalled exist only while they are true, as kstatus wants it. */
static int set_conditions(json_t *conditions, const json_t *old, const struct policy_verdict *v, int64_t generation,
                          uint64_t now_unix_ns)
{
    int r = set_condition(conditions, old, "Ready", v, v->ready, generation, now_unix_ns);

    if (r == 0 && v->reconciling)
        r = set_condition(conditions, old, "Reconciling", v, true, generation, now_unix_ns);
    if (r == 0 && v->stalled)
        r = set_condition(conditions, old, "Stalled", v, true, generation, now_unix_ns);
    return r;
}

int hf_policy_tally_status(const struct hf_policy_tally *tally, const json_t *object, uint64_t now_unix_ns,
                           json_t **ret_body)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");
    const json_t *old = json_object_get(object, "status");
    const struct tally_policy *policy = hf_strmap_get(&tally->policies, name);
    int64_t generation = hf_json_int_or(object, "metadata.generation", 0);
    _cleanup_(hf_json_freep) json_t *conditions = json_array(), *status = NULL;
    struct policy_verdict verdict;

    if (policy == NULL)
        return -ENOENT;
    judge(tally, name, policy, &verdict);
    if (conditions == NULL || set_conditions(conditions, old, &verdict, generation, now_unix_ns) < 0)
        return -ENOMEM;
    status = json_pack("{s:I, s:I, s:I, s:O}", "observedGeneration", (json_int_t)generation, "selected",
                       (json_int_t)policy->counts.selected, "inEffect", (json_int_t)policy->counts.in_effect,
                       "conditions", conditions);
    if (status == NULL)
        return -ENOMEM;
    if (old != NULL && json_equal(hf_json_mutable(old), status)) {
        *ret_body = NULL;
        return 0;
    }
    *ret_body = json_pack("{s:s, s:s, s:{s:s, s:s}, s:O}", "apiVersion", HF_API_GROUP_VERSION, "kind", "SyncPolicy",
                          "metadata", "name", name, "resourceVersion",
                          hf_json_str_or(object, "metadata.resourceVersion", ""), "status", status);
    return *ret_body == NULL ? -ENOMEM : 0;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

struct hf_policy_tally *hf_policy_tally_new(void)
{
    struct hf_policy_tally *tally = calloc(1, sizeof(*tally));

    if (tally == NULL)
        return NULL;
    tally->nodes.free_value = free;
    tally->policies.free_value = free_policy;
    if (hf_label_pool_init(&tally->labels) < 0 || hf_label_pool_init(&tally->reports) < 0) {
        hf_policy_tally_free(tally);
        return NULL;
    }
    return tally;
}

void hf_policy_tally_free(struct hf_policy_tally *tally)
{
    if (tally == NULL)
        return;
    hf_strmap_done(&tally->nodes);
    hf_strmap_done(&tally->policies);
    hf_label_pool_done(&tally->labels);
    hf_label_pool_done(&tally->reports);
    free(tally);
}
