/* SPDX-License-Identifier: Apache-2.0 */
/* How policies add up:
 *
 * 1. Each policy is split into items, one for each section that it sets, by the table of spec. A null counts as absent.
 * 2. The items are sorted by path, then by rank and name. The items of one path are a contest: the first one wins, or
 *    the incumbent among those of the same rank. The others are passed over, with the reason.
 * 3. Bounds that hold for all policies together: so many labels, so many entries, no circle of dependencies. What
 *    breaks one has no winner at all. The incumbents go first, so that a new policy never pushes out what is in place.
 * 4. The winners make one tree, which decodes like any SyncPolicy.
 *
 * Signed policies first, then higher priority, then the name in byte order: the first that sets a section decides all
 * of it. Between different values of the same rank the incumbent (which had the section before) decides, else the first
 * name; the other is a conflict. */
#include "api/policies/policy_set.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/schema.h"
#include "base/array.h"
#include "base/asprintf.h"

#define ALLOW_PRUNE "edge.codcompass.io/allow-prune"

struct policy_part {
    char *path;
    const char *section;             /* key of spec */
    const char *member;              /* key in the object `section`; NULL for the others */
    const char *label;               /* key in the object `member`; NULL for the others */
    const struct hf_manifest *entry; /* NULL for the others */
    json_t *value;                   /* borrowed */
    const struct hf_policy_origin *from;
    bool is_signed, is_incumbent, wins;
};

struct compose {
    const struct hf_policy_set_input *input;
    struct hf_policy_set *set;
    struct policy_part *items;
    size_t n, cap;
    bool out_of_memory;
};

/* ---- policies to items ------------------------------------------------------------------------------------------- */

/* What a policy says about itself, not about the node. */
static bool is_section(const struct hf_field *row)
{
    static const char *const own[] = {"nodeSelector", "priority", "sequence", "signatures"};

    for (size_t i = 0; i < HF_LEN(own); i++)
        if (strcmp(row->name, own[i]) == 0)
            return false;
    return true;
}

/* Each of its fields is a section: one policy lists the images that may run, another one says where they come from. */
static bool is_parted(const struct hf_field *row)
{
    return strcmp(row->name, "labels") == 0 || strcmp(row->name, "images") == 0;
}

/* What only a signed policy decides: without one, no policy does. */
static bool needs_signature(const struct policy_part *item)
{
    return strcmp(item->path, "images.allow") == 0;
}

/* Takes over item.path. */
static void add_item(struct compose *compose, struct policy_part item)
{
    if (item.path == NULL || hf_array_grow(compose->items, compose->n, compose->cap, HF_ARRAY_ANY) < 0) {
        compose->out_of_memory = true;
        free(item.path);
        return;
    }
    const struct hf_policy_set_input *input = compose->input;
    const char *before = input->incumbent != NULL ? input->incumbent(input->arg, item.path) : NULL;
    item.is_incumbent = before != NULL && strcmp(before, item.from->name) == 0;
    item.is_signed = item.from->is_signed;
    compose->items[compose->n++] = item;
}

static void add_fields(struct compose *compose, const struct hf_field *table, struct policy_part item, json_t *fields)
{
    for (const struct hf_field *row = table; row->name != NULL; row++) {
        json_t *value = json_object_get(fields, row->name), *label;
        item.member = row->name;
        item.label = NULL;
        item.value = value;
        if (value == NULL || json_is_null(value))
            continue;
        if (row->kind != HF_KIND_LABELS) {
            item.path = hf_asprintf("%s.%s", item.section, row->name);
            add_item(compose, item);
            continue;
        }
        json_object_foreach(value, item.label, label) {
            item.value = label;
            item.path = hf_asprintf("%s.%s[%s]", item.section, row->name, item.label);
            add_item(compose, item);
        }
    }
}

static void add_entries(struct compose *compose, struct policy_part item, const struct hf_syncpolicy *policy)
{
    for (size_t i = 0; i < policy->n_manifests; i++) {
        item.entry = &policy->manifests[i];
        item.value = item.entry->json;
        item.path = hf_asprintf("%s[%s]", item.section, item.entry->name);
        add_item(compose, item);
    }
}

static void split(struct compose *compose, const struct hf_syncpolicy *policy, const struct hf_policy_origin *from)
{
    const json_t *spec = json_object_get(policy->json, "spec");

    for (const struct hf_field *row = hf_syncpolicy_fields[0].fields; row->name != NULL; row++) {
        json_t *value = json_object_get(spec, row->name);
        struct policy_part item = {.section = row->name, .value = value, .from = from};
        if (value == NULL || json_is_null(value) || !is_section(row))
            continue;
        if (row->fields == hf_manifest_fields) {
            add_entries(compose, item, policy);
        } else if (is_parted(row)) {
            add_fields(compose, row->fields, item, value);
        } else {
            item.path = strdup(row->name);
            add_item(compose, item);
        }
    }
}

/* ---- contests ---------------------------------------------------------------------------------------------------- */

/* Negative: a ranks before b. */
static int compare_rank(const struct policy_part *a, const struct policy_part *b)
{
    if (a->is_signed != b->is_signed)
        return a->is_signed ? -1 : 1;
    if (a->from->priority != b->from->priority)
        return a->from->priority > b->from->priority ? -1 : 1;
    return 0;
}

static int compare_in_path(const struct policy_part *a, const struct policy_part *b)
{
    int r = compare_rank(a, b);

    return r != 0 ? r : strcmp(a->from->name, b->from->name);
}

static int compare_items(const void *left, const void *right)
{
    const struct policy_part *a = left, *b = right;
    int r = strcmp(a->path, b->path);

    return r != 0 ? r : compare_in_path(a, b);
}

static int compare_origins(const void *left, const void *right)
{
    const struct hf_policy_member *a = left, *b = right;
    const struct hf_syncpolicy *x = a->policy, *y = b->policy;

    if (a->is_signed != b->is_signed)
        return a->is_signed ? -1 : 1;
    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    return strcmp(x->meta.name, y->meta.name);
}

static bool is_same_path(const struct compose *compose, size_t i, size_t k)
{
    return k < compose->n && strcmp(compose->items[i].path, compose->items[k].path) == 0;
}

/* Entries that are signed themselves rank as signed. Only contests need to know. */
static void rank_entries(struct compose *compose)
{
    const struct hf_policy_set_input *input = compose->input;

    for (size_t i = 0; i < compose->n; i++) {
        struct policy_part *item = &compose->items[i];
        if (item->entry == NULL || item->is_signed || item->entry->n_signatures == 0 || input->entry_is_signed == NULL)
            continue;
        if (is_same_path(compose, i, i + 1) || (i > 0 && is_same_path(compose, i - 1, i)))
            item->is_signed = input->entry_is_signed(input->arg, item->entry);
    }
}

/* The winner of the items from `first` to before `end`. */
static size_t winner_of(const struct compose *compose, size_t first, size_t end)
{
    for (size_t i = first; i < end && compare_rank(&compose->items[first], &compose->items[i]) == 0; i++)
        if (compose->items[i].is_incumbent)
            return i;
    return first;
}

static void contest(struct compose *compose)
{
    for (size_t i = 0, end; i < compose->n; i = end) {
        end = i + 1;
        while (is_same_path(compose, i, end))
            end++;
        struct policy_part *winner = &compose->items[winner_of(compose, i, end)];
        winner->wins = winner->is_signed || !needs_signature(winner);
    }
}

/* ---- bounds of all policies together ---------------------------------------------------------------------------- */

static int compare_for_room(const void *left, const void *right)
{
    const struct policy_part *a = *(struct policy_part *const *)left, *b = *(struct policy_part *const *)right;

    if (a->is_incumbent != b->is_incumbent)
        return a->is_incumbent ? -1 : 1;
    int r = compare_in_path(a, b);
    return r != 0 ? r : strcmp(a->path, b->path);
}

/* Returns how many items of the section win, and writes them to list[compose->n]. */
static size_t winners_in(struct compose *compose, bool entries, struct policy_part **list)
{
    size_t n = 0;

    for (size_t i = 0; i < compose->n; i++) {
        struct policy_part *item = &compose->items[i];
        if (item->wins && (entries ? item->entry != NULL : item->label != NULL))
            list[n++] = item;
    }
    return n;
}

static void bound(struct compose *compose, bool entries, size_t most, struct policy_part **list)
{
    size_t n = winners_in(compose, entries, list);

    if (n <= most)
        return;
    qsort(list, n, sizeof(struct policy_part *), compare_for_room);
    for (size_t i = most; i < n; i++)
        list[i]->wins = false;
}

static bool is_placed(struct policy_part *const *list, size_t n, const bool *placed, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i]->entry->name, name) == 0)
            return placed[i];
    return false;
}

static bool may_place(struct policy_part *const *list, size_t n, const bool *placed, const struct hf_manifest *entry)
{
    for (size_t k = 0; k < HF_LEN(entry->depends_on) && entry->depends_on[k] != NULL; k++)
        if (!is_placed(list, n, placed, entry->depends_on[k]))
            return false;
    return true;
}

/* One entry after the other goes behind those on which it depends. The others depend on a circle, or on an entry
 * without room. */
static void leave_circles(struct compose *compose, struct policy_part **list)
{
    bool placed[HF_MAX_MANIFESTS] = {false}, moved = true;
    size_t n = winners_in(compose, true, list);

    while (moved) {
        moved = false;
        for (size_t i = 0; i < n; i++) {
            if (placed[i] || !may_place(list, n, placed, list[i]->entry))
                continue;
            placed[i] = moved = true;
        }
    }
    for (size_t i = 0; i < n; i++)
        list[i]->wins = placed[i];
}

static void note_passed(struct compose *compose, const struct policy_part *item, const struct policy_part *winner,
                        enum hf_policy_passed why)
{
    struct hf_policy_set *set = compose->set;
    char *path = strdup(item->path);

    compose->out_of_memory |= path == NULL;
    if (path != NULL)
        set->passed[set->n_passed++] = (struct hf_policy_passed_over){
            .path = path, .other = item->from, .winner = winner != NULL ? winner->from : NULL, .why = why};
}

static enum hf_policy_passed why_passed(const struct policy_part *item, const struct policy_part *winner, bool no_room)
{
    if (winner == NULL && needs_signature(item))
        return HF_POLICY_PASSED_NEEDS_SIGNATURE;
    if (winner == NULL)
        return no_room ? HF_POLICY_PASSED_NO_ROOM : HF_POLICY_PASSED_CIRCLE;
    if (json_equal(item->value, winner->value))
        return HF_POLICY_PASSED_SAME;
    if (winner->is_signed && !item->is_signed)
        return HF_POLICY_PASSED_UNSIGNED;
    return winner->from->priority > item->from->priority && item->is_signed == winner->is_signed
               ? HF_POLICY_PASSED_PRIORITY
               : HF_POLICY_PASSED_CONFLICT;
}

static void settle_path(struct compose *compose, size_t first, size_t end, const bool *no_room)
{
    struct hf_policy_set *set = compose->set;
    const struct policy_part *winner = NULL;
    bool room = false;

    for (size_t i = first; i < end; i++) {
        winner = compose->items[i].wins ? &compose->items[i] : winner;
        room |= no_room[i];
    }
    for (size_t i = first; i < end; i++)
        if (&compose->items[i] != winner)
            note_passed(compose, &compose->items[i], winner, why_passed(&compose->items[i], winner, room));
    char *path = winner != NULL ? strdup(winner->path) : NULL;
    compose->out_of_memory |= winner != NULL && path == NULL;
    if (path != NULL)
        set->sections[set->n_sections++] =
            (struct hf_policy_section){.path = path, .from = winner->from, .is_signed = winner->is_signed};
}

/* Lets the bounds decide over the winners, and writes sections and what was passed over into the set. */
static void settle(struct compose *compose)
{
    _cleanup_(hf_freep) struct policy_part **list = calloc(compose->n + 1, sizeof(struct policy_part *));
    _cleanup_(hf_freep) bool *no_room = calloc(compose->n + 1, sizeof(bool));
    struct hf_policy_set *set = compose->set;

    set->sections = calloc(compose->n + 1, sizeof(*set->sections));
    set->passed = calloc(compose->n + 1, sizeof(*set->passed));
    if (list == NULL || no_room == NULL || set->sections == NULL || set->passed == NULL) {
        compose->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < compose->n; i++)
        no_room[i] = compose->items[i].wins;
    bound(compose, false, HF_MAX_POLICY_LABELS, list);
    bound(compose, true, HF_MAX_MANIFESTS, list);
    for (size_t i = 0; i < compose->n; i++)
        no_room[i] = no_room[i] && !compose->items[i].wins;
    leave_circles(compose, list);
    for (size_t i = 0, end; i < compose->n; i = end) {
        end = i + 1;
        while (is_same_path(compose, i, end))
            end++;
        settle_path(compose, i, end, no_room);
    }
}

/* ---- the policy in effect ---------------------------------------------------------------------------------------- */

static json_t *object_in(json_t *parent, const char *key)
{
    json_t *child = json_object_get(parent, key);

    if (child == NULL && json_object_set_new(parent, key, json_object()) == 0)
        child = json_object_get(parent, key);
    return child;
}

static int put(json_t *spec, const struct policy_part *item)
{
    if (item->entry != NULL) {
        json_t *list = json_object_get(spec, item->section);
        if (list == NULL && json_object_set_new(spec, item->section, json_array()) == 0)
            list = json_object_get(spec, item->section);
        return json_array_append(list, item->value);
    }
    json_t *at = item->member != NULL ? object_in(spec, item->section) : spec;
    const char *key = item->member != NULL ? item->member : item->section;

    if (item->label != NULL) {
        at = object_in(at, item->member);
        key = item->label;
    }
    return json_object_set(at, key, item->value);
}

/* A person allows a removal on any policy of the node: the one that had the entry may be gone. */
static json_t *annotations_of(const struct compose *compose)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_API_MAX_OBJECT_BYTES);

    for (size_t i = 0; i < compose->input->n_members; i++) {
        const json_t *annotations = hf_json_at(compose->input->members[i].policy->json, "metadata.annotations");
        const char *value = json_string_value(json_object_get(annotations, ALLOW_PRUNE));
        if (value != NULL && hf_buf_addf(&text, "%s%s", text.n > 0 ? "," : "", value) == -ENOMEM)
            return NULL;
    }
    return text.n > 0 ? json_pack("{s:s}", ALLOW_PRUNE, hf_buf_str(&text)) : json_object();
}

static json_t *metadata_of(const struct compose *compose)
{
    const struct hf_policy_set *set = compose->set;
    const struct hf_policy_origin *first = set->n_origins > 0 ? &set->origins[0] : NULL;
    json_t *annotations = annotations_of(compose);

    if (annotations == NULL)
        return NULL;
    return json_pack("{s:s, s:s, s:I, s:o}", "name", first != NULL ? first->name : "built-in", "uid",
                     first != NULL ? first->uid : "", "generation", (json_int_t)(first != NULL ? first->generation : 0),
                     "annotations", annotations);
}

static json_t *make_tree(const struct compose *compose)
{
    _cleanup_(hf_json_freep) json_t *spec = json_object(), *metadata = metadata_of(compose);

    if (spec == NULL || metadata == NULL)
        return NULL;
    for (size_t i = 0; i < compose->n; i++)
        if (compose->items[i].wins && put(spec, &compose->items[i]) < 0)
            return NULL;
    return json_pack("{s:s, s:s, s:O, s:O}", "apiVersion", HF_API_GROUP_VERSION, "kind", "SyncPolicy", "metadata",
                     metadata, "spec", spec);
}

static int decode(struct compose *compose, struct hf_err *err)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    _cleanup_(hf_json_freep) json_t *json = make_tree(compose);
    struct hf_policy_set *set = compose->set;
    int r = issues == NULL || json == NULL ? -ENOMEM : hf_syncpolicy_decode(json, &set->effective, issues);

    if (r == -EBADMSG)
        return hf_err_set(err, EBADMSG, "the SyncPolicies of this node together are not valid: %s: %s",
                          issues->errors[0].path, issues->errors[0].text);
    if (r < 0)
        return hf_err_sys(err, r, "add up the SyncPolicies");
    const struct hf_policy_section *telemetry = hf_policy_set_find(set, "telemetry");
    set->effective->telemetry.is_signed = telemetry != NULL && telemetry->is_signed;
    return 0;
}

/* ---- the set ----------------------------------------------------------------------------------------------------- */

static int take_origins(struct compose *compose)
{
    const struct hf_policy_set_input *input = compose->input;
    _cleanup_(hf_freep) struct hf_policy_member *members = calloc(input->n_members + 1, sizeof(*members));
    struct hf_policy_set *set = compose->set;

    set->origins = calloc(input->n_members + 1, sizeof(*set->origins));
    if (members == NULL || set->origins == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < input->n_members; i++)
        members[i] = input->members[i];
    qsort(members, input->n_members, sizeof(*members), compare_origins);
    for (size_t i = 0; i < input->n_members; i++) {
        const struct hf_syncpolicy *policy = members[i].policy;
        struct hf_policy_origin *origin = &set->origins[set->n_origins++];
        *origin = (struct hf_policy_origin){.name = strdup(policy->meta.name),
                                            .uid = strdup(policy->meta.uid),
                                            .generation = policy->meta.generation,
                                            .priority = policy->priority,
                                            .sequence = policy->sequence,
                                            .is_signed = members[i].is_signed};
        if (origin->name == NULL || origin->uid == NULL)
            return -ENOMEM;
        split(compose, policy, origin);
    }
    return compose->out_of_memory ? -ENOMEM : 0;
}

static int compose_all(struct compose *compose, struct hf_err *err)
{
    if (take_origins(compose) < 0)
        return hf_err_sys(err, -ENOMEM, "add up the SyncPolicies");
    if (compose->n > 0) {
        qsort(compose->items, compose->n, sizeof(*compose->items), compare_items);
        rank_entries(compose);
        qsort(compose->items, compose->n, sizeof(*compose->items), compare_items);
    }
    contest(compose);
    settle(compose);
    if (compose->out_of_memory)
        return hf_err_sys(err, -ENOMEM, "add up the SyncPolicies");
    return decode(compose, err);
}

int hf_policy_set_compose(const struct hf_policy_set_input *input, struct hf_policy_set **ret_set, struct hf_err *err)
{
    _cleanup_(hf_policy_set_freep) struct hf_policy_set *set = calloc(1, sizeof(*set));
    struct compose compose = {.input = input, .set = set};
    int r = set != NULL ? compose_all(&compose, err) : hf_err_sys(err, -ENOMEM, "add up the SyncPolicies");

    for (size_t i = 0; i < compose.n; i++)
        free(compose.items[i].path);
    free(compose.items);
    if (r == 0)
        *ret_set = hf_steal(set);
    return r;
}

void hf_policy_set_free(struct hf_policy_set *set)
{
    if (set == NULL)
        return;
    hf_syncpolicy_free(set->effective);
    for (size_t i = 0; i < set->n_sections; i++)
        free(set->sections[i].path);
    for (size_t i = 0; i < set->n_passed; i++)
        free(set->passed[i].path);
    for (size_t i = 0; i < set->n_origins; i++) {
        free(set->origins[i].name);
        free(set->origins[i].uid);
    }
    free(set->sections);
    free(set->passed);
    free(set->origins);
    free(set);
}

const struct hf_policy_section *hf_policy_set_find(const struct hf_policy_set *set, const char *path)
{
    for (size_t i = 0; i < set->n_sections; i++)
        if (strcmp(set->sections[i].path, path) == 0)
            return &set->sections[i];
    return NULL;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

bool hf_policy_set_is_conflict(enum hf_policy_passed why)
{
    return why >= HF_POLICY_PASSED_CONFLICT;
}

const char *hf_policy_set_passed_text(const struct hf_policy_passed_over *passed, char *text, size_t n)
{
    const char *other = passed->other->name, *winner = passed->winner != NULL ? passed->winner->name : "";

    switch (passed->why) {
    case HF_POLICY_PASSED_SAME:
        (void)snprintf(text, n, "%s: SyncPolicies '%s' and '%s' say the same", passed->path, winner, other);
        break;
    case HF_POLICY_PASSED_UNSIGNED:
        (void)snprintf(text, n, "%s: comes from SyncPolicy '%s', which is signed; '%s' is not", passed->path, winner,
                       other);
        break;
    case HF_POLICY_PASSED_PRIORITY:
        assert(passed->winner != NULL);
        (void)snprintf(text, n, "%s: comes from SyncPolicy '%s' (priority %jd), not from '%s' (priority %jd)",
                       passed->path, winner, (intmax_t)passed->winner->priority, other,
                       (intmax_t)passed->other->priority);
        break;
    case HF_POLICY_PASSED_CONFLICT:
        (void)snprintf(text, n,
                       "%s: SyncPolicies '%s' and '%s' of the same priority differ; '%s' stays in effect: give one of "
                       "them a higher priority, or remove the field from one",
                       passed->path, winner, other, winner);
        break;
    case HF_POLICY_PASSED_NEEDS_SIGNATURE:
        (void)snprintf(text, n, "%s: not in effect from SyncPolicy '%s': only a signed policy may say this: sign it",
                       passed->path, other);
        break;
    case HF_POLICY_PASSED_NO_ROOM:
        (void)snprintf(text, n,
                       "%s: not in effect from SyncPolicy '%s': the SyncPolicies of this node together have too many "
                       "(%d labels, %d entries of manifests)",
                       passed->path, other, HF_MAX_POLICY_LABELS, HF_MAX_MANIFESTS);
        break;
    default:
        (void)snprintf(text, n,
                       "%s: not in effect from SyncPolicy '%s': it depends (dependsOn) on an entry of another policy "
                       "that depends on it, or that has no room",
                       passed->path, other);
        break;
    }
    return text;
}
