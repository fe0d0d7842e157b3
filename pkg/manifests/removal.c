/* SPDX-License-Identifier: Apache-2.0 */
/* An entry that no policy has any more: its files go with `prune`, if the guard lets them; then the engine forgets it.
 */
#include <assert.h>
#include <limits.h>
#include <stdio.h>

#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/removal.h"
#include "manifests/targets/target_files.h"
#include "os/dir.h"

/* Returns true if what the entry has in place goes with it. */
static bool takes_along(const struct entry *entry)
{
    return hf_json_bool_or(hf_manifest_record_owner(&entry->r)->entry, "prune", false);
}

static int run_forget(struct job *job)
{
    return hf_dir_remove_tree(job->entry->engine->p.env.world.fs, job->entry->folder, &job->err);
}

static void tell_removed(const struct entry *entry)
{
    const struct hf_manifest_engine *engine = entry->engine;

    hf_metric_add(engine->counts.removals, 1);
    if (engine->p.happened != NULL)
        engine->p.happened(engine->p.arg, HF_MANIFEST_NOTICE_REMOVED, entry->name,
                           takes_along(entry) ? "what it had in place is gone"
                                              : "without `prune`, what it had in place stays");
}

static void forgotten(struct entry *entry, struct job *job)
{
    if (job->r < 0) {
        advance_note(entry, hf_manifest_outcome_reason(job->r), HF_ERR_TEXT(&job->err));
        advance_back_off(entry);
        return;
    }
    hf_log(entry->engine->p.env.world.log, HF_LOG_INFO, "manifest.forgotten", HF_S("entry", entry->name));
    entry->life = ENTRY_GONE;
    if (hf_manifest_record_owner(&entry->r)->key[0] != '\0') /* it has been in place, or was about to be */
        tell_removed(entry);
    hf_steer_core_notify(&entry->engine->core);
}

static void forget(struct entry *entry)
{
    struct job *job = task_new(entry, run_forget, forgotten);

    if (job != NULL)
        task_submit(job);
}

/* The watches must not report what the removal itself does. They come back with the next look, if it fails. */
static void unwatch(struct entry *entry)
{
    drift_unwatch(entry);
    entry->drift.watch_stale = true;
}

/* ---- a Secret that was deleted ----------------------------------------------------------------------------------- */

static void revoked(struct entry *entry)
{
    struct hf_manifest_record *r = &entry->r;

    assert(!target_files_has(entry) && hf_manifest_machine_rests(r->phase));
    content_store_removed(entry);
    hf_manifest_set_done(&r->good);
    hf_manifest_set_done(&r->next);
    r->known_digest[0] = r->known_revision[0] = '\0';
    hf_log(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.secret_removed", HF_S("entry", entry->name));
    advance_event(entry, HF_MANIFEST_EV_NEWS, HF_MANIFEST_REASON_SOURCE_GONE,
                  "the Secret was deleted: its files are gone");
}

/* Returns true if the pause after a failed removal is over. Otherwise wakes the engine at its end. */
static bool is_due(struct entry *entry)
{
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core);

    if (entry->due_ns > now && entry->due_ns != HF_NEVER)
        hf_steer_machine_wake_in(&entry->machine, entry->due_ns - now);
    return entry->due_ns <= now;
}

bool removal_revoke(struct entry *entry)
{
    const struct hf_manifest_engine *engine = entry->engine;

    if (!content_store_is_revoked(entry) || engine->held || !target_files_has(entry) || !is_due(entry))
        return false;
    unwatch(entry);
    (void)target_files_remove(entry, revoked);
    return entry->busy;
}

/* ---- an entry that no policy has --------------------------------------------------------------------------------- */

static int run_drop_download(struct job *job)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/" MANIFEST_DOWNLOAD, job->entry->folder);
    return hf_dir_remove_tree(job->entry->engine->p.env.world.fs, path, &job->err);
}

static void dropped_download(struct entry *entry, struct job *job)
{
    if (job->r < 0)
        hf_log_err(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.not_cleaned", "entry", entry->name,
                   &job->err);
}

/* The removal of an entry may wait for long, and what it has downloaded so far has no use any more. */
static bool drop_download(struct entry *entry)
{
    struct job *job = entry->download_left ? task_new(entry, run_drop_download, dropped_download) : NULL;

    entry->download_left = false;
    if (job != NULL)
        task_submit(job);
    return job != NULL;
}

/* Returns true if the entry has to stay for now: within its grace, or because a policy has it that is not in effect. */
static bool stays(struct entry *entry)
{
    const struct hf_manifest_engine_params *p = &entry->engine->p;
    uint64_t wait = p->removal_wait_ns != NULL ? p->removal_wait_ns(p->arg, entry->name) : 0;

    if (wait == 0) {
        advance_note_about(entry, ENTRY_NOTE_WAIT, HF_MANIFEST_REASON_NONE, NULL);
        return false;
    }
    if (wait != HF_NEVER)
        hf_steer_machine_wake_in(&entry->machine, wait);
    advance_note_about(entry, ENTRY_NOTE_WAIT, HF_MANIFEST_REASON_NO_POLICY,
                       wait != HF_NEVER
                           ? "no SyncPolicy of this node has this entry any more: it goes when removalGrace is over"
                           : "a SyncPolicy of this node has this entry, but not in effect: see the conditions "
                             "PolicyConflict and PolicyTrusted");
    return true;
}

void removal_consider(struct entry *entry)
{
    const struct hf_manifest_engine *engine = entry->engine;

    if (entry->life == ENTRY_GONE || drop_download(entry))
        return;
    if (!engine->proven || engine->held || engine->stale || !is_due(entry) || stays(entry))
        return;
    assert(!entry->in_policy && !entry->busy);
    entry->removing = true;
    unwatch(entry);
    if (!takes_along(entry) || !target_of(entry, hf_manifest_record_owner(&entry->r))->remove(entry, forget))
        forget(entry);
}
