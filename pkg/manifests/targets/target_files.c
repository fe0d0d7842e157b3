/* SPDX-License-Identifier: Apache-2.0 */
/* The target Files, and what StaticPods has in common with it: the removal. */
#include "manifests/targets/target_files.h"

#include <assert.h>
#include <stdio.h>

#include "manifests/content/permit.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/files/before.h"
#include "manifests/files/resolve.h"
#include "manifests/rules/plan.h"
#include "manifests/targets/apply.h"
#include "manifests/targets/restore.h"
#include "manifests/targets/trial.h"

static void probe(struct entry *entry)
{
    if (!trial_puts_back_again(entry))
        trial_start(entry);
}

/* ---- removal ----------------------------------------------------------------------------------------------------- */

/* Nothing has shown yet that a set whose attempt was cut short may keep the files of somebody else that it takes over.
 * They stay, and so does every file if nobody knows which ones these are. */
static int leave_theirs(struct job *job)
{
    struct entry *entry = job->entry;
    _cleanup_(hf_bundle_freep) struct hf_bundle *before = NULL;
    _cleanup_(hf_inventory_done) struct hf_inventory list = {.items = NULL};
    bool unknown = false;
    int r =
        hf_files_before_load(entry->engine->p.env.world.fs, entry->folder, true, &before, &list, &unknown, &job->err);

    if (r == 0)
        r = restore_disown(entry, unknown ? &entry->inventory : &list, &job->err);
    return r < 0 ? hf_manifest_outcome_fail(&job->outcome, hf_manifest_outcome_reason(r), r, &job->err) : 0;
}

static int run_prune(struct job *job)
{
    struct hf_files_place *place = &job->entry->attempt->place;
    const struct hf_manifest_record *record = &job->entry->r;
    int r = record->good.key[0] == '\0' || record->unproven ? leave_theirs(job) : 0;

    if (r == 0)
        r = hf_files_place_compare(place, &job->outcome);
    if (r == 0)
        r = hf_files_place_swap(place, &job->outcome);
    if (r == 0)
        r = hf_files_place_clean(place, job->entry->attempt->want.root, &job->outcome);
    return r;
}

struct removal {
    struct job job;
    void (*then)(struct entry *entry);
};

static void not_pruned(struct entry *entry, const struct job *job)
{
    if (entry->wanted != NULL) /* a waiting removal needs no watches, of which there are few */
        drift_watch(entry);
    advance_not_removed(entry, &job->outcome);
}

static void pruned(struct entry *entry, struct job *job)
{
    const struct removal *removal = hf_container_of(job, struct removal, job);

    assert(job->r < 0 || hf_inventory_files(&entry->inventory) == 0);
    make_attempt_free(hf_steal(entry->attempt));
    if (job->r < 0)
        not_pruned(entry, job);
    else
        removal->then(entry);
}

bool target_files_has(const struct entry *entry)
{
    return hf_manifest_record_owner(&entry->r)->key[0] != '\0' && !entry->r.good_unknown &&
           hf_inventory_files(&entry->inventory) > 0;
}

bool target_files_remove(struct entry *entry, void (*then)(struct entry *entry))
{
    const struct hf_manifest_set *owner = hf_manifest_record_owner(&entry->r);

    if (!target_files_has(entry))
        return false;
    struct removal *removal = task_new_operation(sizeof(*removal), entry, run_prune, pruned, NULL);
    entry->attempt = make_attempt(entry, owner);
    if (removal == NULL || entry->attempt == NULL) {
        task_discard(removal != NULL ? &removal->job : NULL);
        make_attempt_free(hf_steal(entry->attempt));
        advance_back_off(entry);
        return true;
    }
    assert(hf_manifest_machine_rests(entry->r.phase) && !entry->r.good_unknown);
    removal->then = then;
    (void)snprintf(entry->attempt->want.root, sizeof(entry->attempt->want.root), "%s", owner->root);
    entry->attempt->place.order.prune = true;
    entry->attempt->place.order.prune_all =
        hf_plan_prune_is_allowed(entry->engine->allow_prune, entry->name, owner->digest);
    task_submit(&removal->job);
    return true;
}

/* ---- the target -------------------------------------------------------------------------------------------------- */

bool target_files_lacks_all(const struct entry *entry)
{
    return hf_inventory_files(&entry->inventory) == 0;
}

static bool is_allowed(HF_UNUSED const struct hf_config *config, HF_UNUSED enum hf_config_scope scope,
                       HF_UNUSED struct hf_err *err)
{
    return true; /* its paths are asked for one by one */
}

/* Returns true if the node lets the set write this file, or files in this folder. */
static bool may_write(const struct entry *entry, const struct hf_config *config, const struct hf_manifest_set *set,
                      const char *root)
{
    enum hf_config_scope scope = permit_scope(set->signed_);
    char file[HF_FILES_MAX_PATH + 2];

    (void)snprintf(file, sizeof(file), "%s/x", root); /* some file of the target */
    return content_store_allows(entry, set, config, scope, root) ||
           content_store_allows(entry, set, config, scope, file);
}

static bool find_root(const struct entry *entry, const struct hf_files_place *place, const struct hf_config *config,
                      const struct hf_manifest_set *set, char root[HF_FILES_MAX_PATH])
{
    const char *path = hf_json_str_or(set->entry, "path", "");

    return hf_files_resolve(place->fs, place->host_root, path, root, NULL) == 0 && may_write(entry, config, set, root);
}

const struct target_ops target_files = {
    .place = apply_start,
    .probe = probe,
    .roll_back = restore_start,
    .look = drift_consider,
    .check_again = target_never,
    .is_unchecked = target_is_never,
    .remove = target_files_remove,
    .prepares = target_never,
    .needs_probe = target_is_never,
    .is_allowed = is_allowed,
    .find_root = find_root,
    .make_inventory = make_inventory,
    .lacks_all = target_files_lacks_all,
};
