/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the node lets an entry do what its fields ask, and which set the entry now is. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifests/content/permit.h"
#include "manifests/entry.h"
#include "manifests/source/substitute.h"
#include "manifests/targets/target.h"

enum hf_config_scope permit_scope(bool is_signed)
{
    return is_signed ? HF_CONFIG_SIGNED : HF_CONFIG_UNSIGNED;
}

static bool allows_exec(const struct hf_config *config, enum hf_config_scope scope, const struct hf_manifest *wanted,
                        struct hf_err *err)
{
    if (wanted->validate_command[0] != NULL &&
        !hf_config_allows_manifest_exec(config, scope, wanted->validate_command[0], err))
        return false;
    for (size_t i = 0; i < wanted->n_checks; i++)
        if (wanted->checks[i].kind == HF_CHECK_EXEC &&
            !hf_config_allows_manifest_exec(config, scope, wanted->checks[i].command[0], err))
            return false;
    return true;
}

static bool runs_programs(const struct hf_manifest *wanted)
{
    for (size_t i = 0; i < wanted->n_checks; i++)
        if (wanted->checks[i].kind == HF_CHECK_EXEC)
            return true;
    return wanted->validate_command[0] != NULL;
}

/* Objects stay after a first set that has failed. The entry that leaves the policy later decides if they go, and an
 * entry to files need not be allowed to touch objects. */
static bool changes_target(const struct hf_manifest_record *record, const struct hf_manifest *wanted)
{
    bool has_any = record->good.key[0] != '\0' || json_array_size(record->objects) > 0;

    return has_any && !hf_manifest_set_is_to(hf_manifest_record_owner(record), wanted->to);
}

enum hf_manifest_reason permit_ask(struct entry *entry, struct hf_err *err)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    const struct hf_manifest *wanted = entry->wanted;
    enum hf_config_scope scope = permit_scope(entry->permit.is_signed);
    assert(wanted != NULL);
    const char *unit = wanted->restart_unit != NULL ? wanted->restart_unit : wanted->reload_unit;

    if (!entry->permit.is_signed && hf_config_requires_signed_manifests(env->config)) {
        (void)hf_err_set(err, EKEYREJECTED, "%s",
                         entry->permit.distrust_text[0] != '\0' ? entry->permit.distrust_text
                                                                : "requireSigned of this node asks for a signed entry");
        return entry->permit.distrust != HF_MANIFEST_REASON_NONE ? entry->permit.distrust : HF_MANIFEST_REASON_UNSIGNED;
    }
    const char *unsupported = hf_manifest_unsupported(wanted);
    if (unsupported != NULL) {
        (void)hf_err_set(err, EOPNOTSUPP, "%s", unsupported);
        return HF_MANIFEST_REASON_UNSUPPORTED;
    }
    if (changes_target(&entry->r, wanted)) {
        (void)hf_err_set(err, EOPNOTSUPP, "an entry cannot change its target from %.20s to %.20s: give it another name",
                         hf_json_str_or(hf_manifest_record_owner(&entry->r)->entry, "to", ""),
                         hf_manifest_target_names[wanted->to]);
        return HF_MANIFEST_REASON_UNSUPPORTED;
    }
    if (!entry->engine->targets[wanted->to]->is_allowed(env->config, scope, err) ||
        (unit != NULL && !hf_config_allows_manifest_unit(env->config, scope, unit, err)) ||
        !allows_exec(env->config, scope, wanted, err))
        return HF_MANIFEST_REASON_NOT_ALLOWED;
    if (env->pod_mode && runs_programs(wanted)) {
        (void)hf_err_set(err, EOPNOTSUPP, "an agent in a pod cannot run programs of the host (validate, exec checks)");
        return HF_MANIFEST_REASON_UNSUPPORTED;
    }
    return HF_MANIFEST_REASON_NONE;
}

/* The labels that the content uses, so that a change of another one is no new set. */
static json_t *labels_of(const struct entry *entry)
{
    const json_t *names = entry->r.known_names;
    json_t *labels = json_object(), *value;
    const char *key;

    json_object_foreach(hf_json_mutable(entry->engine->p.env.labels), key, value) {
        if ((names == NULL || hf_substitute_uses_label(names, key)) && json_object_set(labels, key, value) < 0) {
            json_decref(labels);
            return NULL;
        }
    }
    return labels;
}

/* The facts that the texts of the entry may use. */
static json_t *facts_of(const struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    json_t *facts = json_object(), *labels = facts != NULL ? labels_of(entry) : NULL;

    if (labels == NULL || json_object_set_new(facts, "labels", labels) < 0 ||
        json_object_set_new(facts, "node", json_string(env->node_name != NULL ? env->node_name : "")) < 0 ||
        json_object_set_new(facts, "arch", json_string(env->arch != NULL ? env->arch : "")) < 0) {
        json_decref(facts);
        return NULL;
    }
    return facts;
}

/* The key of the set, which the same fields and content had the last time, unless facts of the node belong to it. */
static int find_key(struct entry *entry, struct hf_manifest_set *set, struct hf_err *err)
{
    struct hf_manifest_set *keyed = &entry->permit.keyed;

    if (set->facts == NULL && set->entry == keyed->entry && strcmp(set->digest, keyed->digest) == 0) {
        memcpy(set->key, keyed->key, sizeof(set->key));
        return 0;
    }
    int r = hf_manifest_set_key(set, err);
    if (r == 0 && set->facts == NULL)
        hf_manifest_set_copy(keyed, set);
    return r;
}

int permit_candidate(struct entry *entry, struct hf_manifest_set *ret_set, struct hf_err *err)
{
    struct hf_manifest_set set = {.signed_ = entry->permit.is_signed};

    if (entry->r.known_digest[0] == '\0' || strcmp(entry->r.known_from, entry->content.wanted_from) != 0)
        return -ENOENT;
    (void)snprintf(set.digest, sizeof(set.digest), "%s", entry->r.known_digest);
    (void)snprintf(set.revision, sizeof(set.revision), "%s", entry->r.known_revision);
    set.entry = json_incref(entry->wanted->json);
    if (entry->wanted->substitute != NULL) {
        set.facts = facts_of(entry);
        if (set.facts == NULL) {
            hf_manifest_set_done(&set);
            return hf_err_sys(err, -ENOMEM, "collect the facts of the node");
        }
    }
    int r = find_key(entry, &set, err);
    if (r < 0)
        hf_manifest_set_done(&set);
    else
        *ret_set = set;
    assert(r < 0 || ret_set->key[0] != '\0');
    return r;
}
