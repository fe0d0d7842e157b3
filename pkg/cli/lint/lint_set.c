/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lint/lint_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/policies/policy_set.h"
#include "base/array.h"
#include "base/asprintf.h"
#include "base/strmap.h"
#include "kube/folder/folder_objects.h"

struct lint_item {
    struct hf_lint_place place;
    json_t *object;
    struct hf_syncpolicy *policy; /* NULL: not a SyncPolicy */
    bool beaten;                  /* nodes take another object of the same name */
};

struct hf_lint_set {
    struct lint_item *items;
    size_t n, cap;
};

struct lint_check {
    const struct hf_lint_set *set;
    int (*report)(void *arg, const struct hf_lint_place *place, bool is_error, const char *path, const char *text,
                  struct hf_err *err);
    void *arg;
    struct hf_err *err;
};

static int report(const struct lint_check *check, const struct lint_item *item, bool is_error, const char *path,
                  const char *text)
{
    return check->report(check->arg, &item->place, is_error, path, text, check->err);
}

/* ---- twins ------------------------------------------------------------------------------------------------------- */

/* Reports what `item` and an earlier object of its name are to each other. Returns the one that counts in *counts. */
static int check_twin(const struct lint_check *check, struct lint_item *item, struct lint_item **counts)
{
    struct lint_item *before = *counts;
    enum hf_folder_twin twin = hf_folder_twin_of(before->object, item->object);
    bool second = twin == HF_FOLDER_TWIN_SECOND;
    const struct lint_item *loser = second ? before : item, *winner = second ? item : before;
    _cleanup_(hf_freep) char *text = NULL;

    if (twin == HF_FOLDER_TWIN_SAME)
        text = hf_asprintf("the same object is in '%s' too: one of them is enough", winner->place.file);
    else if (twin == HF_FOLDER_TWIN_CLASH)
        text =
            hf_asprintf("another object of this kind and name is in '%s', without a different sequence: a node takes "
                        "the first one and refuses the other one; remove one of them",
                        winner->place.file);
    else
        text = hf_asprintf("an object of this kind and name with a higher sequence is in '%s': nodes take that one",
                           winner->place.file);
    if (text == NULL)
        return hf_err_set(check->err, ENOMEM, "out of memory");
    if (second) {
        before->beaten = true;
        *counts = item;
    } else {
        item->beaten = true;
    }
    return report(check, loser, twin == HF_FOLDER_TWIN_CLASH, "metadata.name", text);
}

static int check_twins(const struct lint_check *check)
{
    struct hf_strmap names = {0}; /* "Kind/name" to the item that counts */
    int r = 0;

    for (size_t i = 0; r == 0 && i < check->set->n; i++) {
        struct lint_item *item = &check->set->items[i];
        _cleanup_(hf_freep) char *key = hf_asprintf("%s/%s", hf_json_str_or(item->object, "kind", ""),
                                                    hf_json_str_or(item->object, "metadata.name", ""));
        struct lint_item *counts = key != NULL ? hf_strmap_get(&names, key) : NULL;
        if (counts != NULL)
            r = check_twin(check, item, &counts);
        else
            counts = item;
        if (r == 0 && (key == NULL || hf_strmap_put(&names, key, counts) < 0))
            r = hf_err_set(check->err, ENOMEM, "out of memory");
    }
    hf_strmap_done(&names);
    return r;
}

/* ---- conflicts --------------------------------------------------------------------------------------------------- */

/* Only a node has the keys: signatures count. */
static bool entry_is_signed(HF_UNUSED void *arg, const struct hf_manifest *entry)
{
    return entry->n_signatures > 0;
}

/* Turns the path of a section into a path of the object: labels are found by their object, entries by their index. */
static char *path_of_section(const struct hf_syncpolicy *policy, const char *section)
{
    for (size_t i = 0; i < policy->n_manifests; i++) {
        const char *name = policy->manifests[i].name;
        size_t n = strlen(name);
        if (strncmp(section, "manifests[", 10) == 0 && strncmp(section + 10, name, n) == 0 &&
            strcmp(section + 10 + n, "]") == 0)
            return hf_asprintf("spec.manifests[%zu]", i);
    }
    return hf_asprintf("spec.%.*s", (int)strcspn(section, "["), section);
}

static int report_conflict(const struct lint_check *check, const struct lint_item *item, const struct lint_item *other,
                           const struct hf_policy_passed_over *passed)
{
    _cleanup_(hf_freep) char *path = path_of_section(item->policy, passed->path), *text = NULL;
    char sentence[600];

    if (passed->why == HF_POLICY_PASSED_CONFLICT)
        text = hf_asprintf("%s: SyncPolicy '%s' in '%s' differs, has the same priority and may select the same nodes: "
                           "give one of them a higher priority, or remove the field from one",
                           passed->path, other->policy->meta.name, other->place.file);
    else
        text = strdup(hf_policy_set_passed_text(passed, sentence, sizeof(sentence)));
    if (path == NULL || text == NULL)
        return hf_err_set(check->err, ENOMEM, "out of memory");
    return report(check, item, true, path, text);
}

static int check_pair(const struct lint_check *check, const struct lint_item *a, const struct lint_item *b)
{
    const struct hf_policy_member members[] = {{a->policy, a->policy->n_signatures > 0},
                                               {b->policy, b->policy->n_signatures > 0}};
    const struct hf_policy_set_input input = {
        .members = members, .n_members = HF_LEN(members), .entry_is_signed = entry_is_signed};
    _cleanup_(hf_policy_set_freep) struct hf_policy_set *set = NULL;
    struct hf_err why = HF_ERR_INIT;
    int r = hf_policy_set_compose(&input, &set, &why);

    if (r == -EBADMSG)
        return report(check, b, true, "spec", why.cause);
    if (r < 0)
        return hf_err_set(check->err, -r, "%s", why.cause);
    for (size_t i = 0; r == 0 && i < set->n_passed; i++) {
        const struct hf_policy_passed_over *passed = &set->passed[i];
        bool is_a = strcmp(passed->other->name, a->policy->meta.name) == 0;
        if (hf_policy_set_is_conflict(passed->why) && passed->why != HF_POLICY_PASSED_NEEDS_SIGNATURE)
            r = report_conflict(check, is_a ? a : b, is_a ? b : a, passed);
    }
    return r;
}

/* A file that is signed later, as in CI, is right as it is. */
static int check_signed(const struct lint_check *check, const struct lint_item *item)
{
    const struct hf_syncpolicy *policy = item->policy;

    if (policy == NULL || policy->images.allowed == NULL || policy->n_signatures > 0)
        return 0;
    return report(check, item, false, "spec.images.allow", "has no effect until the policy is signed");
}

/* Without a SyncPolicy here, the policies are elsewhere. */
static int check_images(const struct lint_check *check)
{
    bool has_policy = false, has_images = false;
    int r = 0;

    for (size_t i = 0; i < check->set->n; i++) {
        const struct hf_syncpolicy *policy = check->set->items[i].policy;
        has_policy |= policy != NULL;
        has_images |= policy != NULL && (policy->images.prefetch[0] != NULL || policy->images.prefetch_workloads);
    }
    for (size_t i = 0; has_policy && !has_images && r == 0 && i < check->set->n; i++)
        if (json_is_true(hf_json_at(check->set->items[i].object, "spec.waitForImages")))
            r = report(check, &check->set->items[i], false, "spec.waitForImages",
                       "no SyncPolicy here asks for images (spec.images.prefetch or prefetchFrom): nodes without them "
                       "wait for ever");
    return r;
}

static int check_conflicts(const struct lint_check *check)
{
    const struct hf_lint_set *set = check->set;
    int r = 0;

    for (size_t i = 0; r == 0 && i < set->n; i++)
        r = check_signed(check, &set->items[i]);
    for (size_t i = 0; i < set->n; i++)
        for (size_t k = i + 1; r == 0 && k < set->n; k++) {
            const struct lint_item *a = &set->items[i], *b = &set->items[k];
            if (a->policy != NULL && b->policy != NULL && !a->beaten && !b->beaten &&
                hf_selector_may_overlap(&a->policy->node_selector, &b->policy->node_selector))
                r = check_pair(check, a, b);
        }
    return r;
}

/* ---- the set ----------------------------------------------------------------------------------------------------- */

int hf_lint_set_check(const struct hf_lint_set *set,
                      int (*report_one)(void *arg, const struct hf_lint_place *place, bool is_error, const char *path,
                                        const char *text, struct hf_err *err),
                      void *arg, struct hf_err *err)
{
    const struct lint_check check = {.set = set, .report = report_one, .arg = arg, .err = err};
    int r = check_twins(&check);

    if (r == 0)
        r = check_images(&check);
    return r == 0 ? check_conflicts(&check) : r;
}

static int decode(json_t *object, struct hf_syncpolicy **ret_policy)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));

    if (strcmp(hf_json_str_or(object, "kind", ""), "SyncPolicy") != 0)
        return 0;
    return issues != NULL ? hf_syncpolicy_decode(object, ret_policy, issues) : -ENOMEM;
}

int hf_lint_set_add(struct hf_lint_set *set, json_t *object, const struct hf_lint_place *place)
{
    struct hf_syncpolicy *policy = NULL;
    int r = decode(object, &policy);

    if (r == 0)
        r = hf_array_grow(set->items, set->n, set->cap, HF_ARRAY_ANY);
    if (r < 0) {
        hf_syncpolicy_free(policy);
        return r;
    }
    set->items[set->n++] = (struct lint_item){.place = *place, .object = json_incref(object), .policy = policy};
    return 0;
}

struct hf_lint_set *hf_lint_set_new(void)
{
    return calloc(1, sizeof(struct hf_lint_set));
}

void hf_lint_set_free(struct hf_lint_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->n; i++) {
        json_decref(set->items[i].object);
        hf_syncpolicy_free(set->items[i].policy);
    }
    free(set->items);
    free(set);
}
