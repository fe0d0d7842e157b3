/* SPDX-License-Identifier: Apache-2.0 */
/* From a set to the files that it asks for. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/content/permit.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/files/content.h"
#include "manifests/files/pod_folder.h"
#include "manifests/files/resolve.h"
#include "manifests/source/substitute.h"
#include "manifests/targets/target.h"

/* ---- the entry of a set ------------------------------------------------------------------------------------------ */

void make_entry_free(struct hf_manifest *entry)
{
    if (entry == NULL)
        return;
    json_t *json = entry->json;
    hf_manifest_done(entry);
    free(entry);
    json_decref(json);
}

int make_entry(const json_t *json, struct hf_manifest **ret_entry, struct hf_err *err)
{
    struct hf_manifest *entry = calloc(1, sizeof(*entry));
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    struct hf_decode decode = {.issues = issues};
    json_t *own = json_deep_copy(json);

    if (entry == NULL || own == NULL || issues == NULL) {
        free(entry);
        json_decref(own);
        return hf_err_sys(err, -ENOMEM, "decode an entry");
    }
    hf_field_decode_all(&decode, hf_manifest_fields, own, entry);
    hf_manifest_finish(&decode, entry, own);
    entry->json = own;
    if (issues->n_errors > 0 || decode.out_of_memory) {
        make_entry_free(entry);
        return hf_err_set(err, decode.out_of_memory ? ENOMEM : EBADMSG, "the entry is malformed");
    }
    *ret_entry = entry;
    return 0;
}

/* ---- an attempt -------------------------------------------------------------------------------------------------- */

/* Names the folders and the file that no entry may change, besides those of the configuration. */
static void close_folders(struct attempt *attempt, const struct hf_manifest_env *env)
{
    const char *const *always = hf_config_manifest_closed();
    size_t n = 0;

    attempt->closed[n++] = env->state_dir;
    attempt->closed[n++] = env->trust_dir != NULL ? env->trust_dir : "";
    attempt->closed[n++] = hf_config_name(env->config);
    attempt->closed[n++] = attempt->pod_folder; /* make_want() finds it */
    for (; *always != NULL; always++) {
        assert(n < HF_CLOSED_MAX);
        attempt->closed[n++] = *always;
    }
    attempt->place.closed_folders = attempt->closed;
}

static bool allows_file(const struct attempt *attempt, const char *path, bool secret, struct hf_err *err)
{
    return (secret ? hf_config_allows_manifest_secret_file : hf_config_allows_manifest_file)(attempt->config,
                                                                                             attempt->scope, path, err);
}

/* The bounds of the node, asked on the worker. A configuration never changes once it is made. */
static bool allows(void *arg, const char *path, struct hf_err *err)
{
    const struct attempt *attempt = arg;

    if (attempt->place.pods)
        return hf_config_allows_manifest_static_pods(attempt->config, attempt->scope, err);
    return allows_file(attempt, path, attempt->place.secret, err);
}

bool make_allows_placed(void *arg, const struct hf_inventory_item *item)
{
    const struct attempt *attempt = arg;
    const char *pods = attempt->place.pods ? attempt->want.root : attempt->pod_folder;

    if (pods[0] != '\0' && hf_config_path_is_within(item->path, pods))
        return hf_config_allows_manifest_static_pods(attempt->config, attempt->scope, NULL);
    return allows_file(attempt, item->path, item->secret, NULL);
}

struct attempt *make_attempt(struct entry *entry, const struct hf_manifest_set *set)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    struct attempt *attempt = calloc(1, sizeof(*attempt));

    if (attempt == NULL)
        return NULL;
    hf_files_place_init(&attempt->place);
    hf_manifest_set_copy(&attempt->set, set);
    if (make_entry(set->entry, &attempt->entry, NULL) < 0) {
        make_attempt_free(attempt);
        return NULL;
    }
    attempt->config = env->config;
    attempt->scope = permit_scope(set->signed_);
    attempt->place.fs = env->world.fs;
    attempt->place.host_root = env->host_root;
    attempt->place.guard = env->uid == 0;
    attempt->place.pods = target_of(entry, set)->is_pods;
    attempt->place.secret = content_store_in_memory(entry, set);
    attempt->place.entry = entry->name;
    attempt->place.folder = entry->folder;
    attempt->place.inventory = &entry->inventory;
    attempt->place.want = &attempt->want;
    attempt->place.bounds.allows = allows;
    attempt->place.bounds.arg = attempt;
    if (!attempt->place.pods)
        close_folders(attempt, env);
    return attempt;
}

void make_attempt_free(struct attempt *attempt)
{
    if (attempt == NULL)
        return;
    hf_files_place_done(&attempt->place);
    hf_files_want_done(&attempt->want);
    make_entry_free(attempt->entry);
    hf_manifest_set_done(&attempt->set);
    free(attempt);
}

static int substitute(const struct hf_manifest_set *set, struct hf_bundle **bundle, struct hf_err *err)
{
    struct hf_strmap values = {.free_value = free};
    struct hf_bundle *made = NULL;
    int r = hf_substitute_add_values(&values, json_object_get(set->entry, "substitute"));

    if (r == 0)
        r = hf_substitute_add_facts(&values, hf_json_str_or(set->facts, "node", ""),
                                    hf_json_str_or(set->facts, "arch", ""), json_object_get(set->facts, "labels"));
    r = r < 0 ? hf_err_sys(err, r, "substitute") : hf_substitute_bundle(*bundle, &values, &made, err);
    hf_strmap_done(&values);
    if (r < 0)
        return r;
    hf_bundle_free(*bundle);
    *bundle = made;
    return 0;
}

/* A repair writes only what the entry has written before, and need not know where the kubelet reads. */
static int find_pod_folder(const struct entry *entry, struct attempt *attempt, struct hf_err *err)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    const struct hf_manifest_set *good = &entry->r.good;
    bool has_pods = target_of(entry, good)->is_pods;

    if (attempt->place.order.repair || attempt->set.root[0] != '\0')
        return 0;
    return hf_pod_folder_find(env->world.fs, env->host_root, hf_config_static_pod_folder(attempt->config),
                              has_pods ? good->root : "", attempt->pod_folder, err);
}

int make_bundle(const struct entry *entry, const struct attempt *attempt, struct hf_bundle **ret_bundle,
                struct hf_manifest_outcome *outcome)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = content_store_load(entry, &attempt->set, &bundle, outcome);

    if (r < 0)
        return r;
    if (attempt->set.facts != NULL) {
        r = substitute(&attempt->set, &bundle, &err);
        if (r < 0)
            return hf_manifest_outcome_fail(outcome, HF_MANIFEST_REASON_SUBSTITUTE_FAILED, r, &err);
    }
    *ret_bundle = hf_steal(bundle);
    return 0;
}

/* A worn-out block, or metadata of the file system that is damaged (ext4, XFS, F2FS). */
static bool is_read_error(int r)
{
    return r == -EIO || r == -EUCLEAN;
}

bool make_is_unreadable(const struct entry *entry, const struct attempt *attempt, int r)
{
    struct hf_manifest_outcome ignored = {.r = 0};
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;

    return is_read_error(r) && is_read_error(make_bundle(entry, attempt, &bundle, &ignored));
}

int make_want(struct entry *entry, struct attempt *attempt, struct hf_manifest_outcome *outcome)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = make_bundle(entry, attempt, &bundle, outcome);

    if (r < 0)
        return r;
    r = find_pod_folder(entry, attempt, &err);
    if (r < 0 && attempt->place.pods)
        return hf_manifest_outcome_fail(outcome, HF_MANIFEST_REASON_TARGET_MISSING, r, &err);
    return hf_files_want_make(env->world.fs, env->host_root, attempt->entry, attempt->pod_folder, attempt->set.root,
                              hf_steal(bundle), &attempt->want, outcome);
}

/* ---- a lost inventory -------------------------------------------------------------------------------------------- */

static int add_wanted(const struct hf_files_want *want, struct hf_inventory *inventory)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < want->n; i++) {
        const struct hf_files_item *from = &want->items[i];
        struct hf_inventory_item item = {
            .path = from->path, .mode = from->mode, .uid = from->uid, .gid = from->gid, .size = from->bytes.n};
        memcpy(item.sha256, from->sha256, sizeof(item.sha256));
        r = hf_inventory_put(inventory, &item);
    }
    return r;
}

static bool is_in_place(const struct hf_manifest_env *env, struct hf_files_walk *walk, const struct hf_files_item *item)
{
    unsigned char sha256[HF_SHA256_BYTES];
    const char *name;
    int fd = hf_files_walk_to_file(walk, item->path, false, &name, NULL);

    return fd >= 0 && hf_files_hash(env->world.fs, fd, name, item->bytes.n, sha256) == 0 &&
           memcmp(sha256, item->sha256, sizeof(sha256)) == 0;
}

/* Leaves out the files that are not in place with exactly this content. */
static void keep_those_in_place(const struct hf_manifest_env *env, struct hf_files_want *want)
{
    _cleanup_(hf_files_walk_done) struct hf_files_walk walk = {.base = -1};
    bool walks = hf_files_walk_init(&walk, env->world.fs, env->host_root, false, NULL) == 0;
    size_t kept = 0;

    for (size_t i = 0; i < want->n; i++)
        if (walks && is_in_place(env, &walk, &want->items[i]))
            want->items[kept++] = want->items[i];
        else
            free(want->items[i].path);
    want->n = kept;
}

static int add_set(struct entry *entry, const struct hf_manifest_set *set, bool only_in_place, struct hf_err *err)
{
    struct hf_manifest_outcome outcome = {.r = 0};

    if (set->key[0] == '\0' || set->root[0] == '\0')
        return 0;
    struct attempt *attempt = make_attempt(entry, set);
    if (attempt == NULL)
        return hf_err_sys(err, -ENOMEM, "make the inventory again");
    attempt->place.order.repair = true;
    int r = make_want(entry, attempt, &outcome);
    if (r == 0 && only_in_place)
        keep_those_in_place(&entry->engine->p.env, &attempt->want);
    if (r < 0)
        (void)hf_err_set(err, -r, "%s", outcome.message);
    else if ((r = add_wanted(&attempt->want, &entry->inventory)) < 0)
        (void)hf_err_sys(err, r, "make the inventory again");
    make_attempt_free(attempt);
    return r;
}

int make_inventory(struct entry *entry, struct hf_err *err)
{
    const struct hf_manifest_record *record = &entry->r;
    bool begun = record->phase == HF_MANIFEST_APPLYING || record->phase == HF_MANIFEST_PROBATION ||
                 record->phase == HF_MANIFEST_ROLLING_BACK;
    /* nobody knows if a swap had begun */
    entry->r.unproven = entry->r.unproven || (record->phase == HF_MANIFEST_APPLYING && record->good.key[0] != '\0');
    /* Files of the newest set first, which the good set may have, too, with another content. */
    if (begun && record->good.key[0] != '\0')
        (void)!add_set(entry, &record->next, true, NULL); /* the content may be lost */
    int r = add_set(entry, &record->good, false, err);
    if (r < 0 || entry->inventory.n == 0)
        return r;
    /* if it cannot be saved, the next start makes it once more */
    return hf_inventory_save(entry->engine->p.env.world.fs, entry->folder, "inventory", &entry->inventory, err);
}
