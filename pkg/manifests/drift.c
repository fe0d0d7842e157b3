/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for drift in what is in place, and repairs it from the entry's own copy of the content. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/cut.h"
#include "loop/watch.h"
#include "manifests/content/content.h"
#include "manifests/content/secret.h"
#include "manifests/content/secret_fetch.h"
#include "manifests/content/vault.h"
#include "manifests/entry.h"
#include "manifests/repair.h"
#include "manifests/targets/pod_trial.h"
#include "manifests/unit_call.h"

static const uint64_t debounce_ns = 200 * HF_NS_PER_MS;
static const uint64_t unwatched_look_ns = 30 * HF_NS_PER_S; /* between two looks at folders that have no watch */

void drift_look_again(struct entry *entry)
{
    entry->look_wanted = true;
    entry->look_due_ns = advance_pause(entry);
}

void drift_repaired(struct entry *entry, const char *what)
{
    hf_manifest_counts_repair(&entry->engine->counts);
    entry->r.drifts++;
    entry->r.drift_unix_ns = hf_unix_ns(entry->engine->p.env.clock);
    if (entry->r.phase == HF_MANIFEST_APPLIED && !pod_trial_is_open(entry))
        entry->r.reason = HF_MANIFEST_REASON_DRIFT_REPAIRED;
    (void)snprintf(entry->r.message, sizeof(entry->r.message), "put back: %s", HF_CUT(360, what));
    advance_doubt_pods(entry);
    repair_tell(entry, entry->r.message);
    manifest_engine_notify(entry->engine);
}

/* ---- the unit, which may have read the changed files ------------------------------------------------------------- */

static void note_restart(struct entry *entry, const struct hf_err *err)
{
    char text[HF_RECORD_MESSAGE];

    advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_RESTART_FAILED, hf_err_text(err, text, sizeof(text)));
}

/* A restart that takes longer than the agent waits for goes on in systemd, and another one would end it. */
static void restarted(void *arg, int r, const struct hf_err *err)
{
    struct entry *entry = arg;

    entry->unit_call = NULL;
    entry->busy = false;
    if (r < 0)
        note_restart(entry, err);
    else
        advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_NONE, NULL);
    if (r < 0 && r != -ETIMEDOUT) {
        drift_look_again(entry); /* which restarts the unit again */
    } else {
        entry->r.restart_due = false;
        entry->save_wanted = true;
    }
    manifest_engine_wake(entry->engine);
}

/* The files are those of the good set. */
static void restart(struct entry *entry)
{
    struct hf_err err = HF_ERR_INIT;
    int r = entry->r.restart_due ? unit_call_start(entry, &entry->r.good, restarted, &err) : 1;

    if (r < 0 && r != -EACCES) {
        note_restart(entry, &err);
        drift_look_again(entry);
    } else if (r != 0) { /* there is no unit, or the node does not permit it any more */
        entry->r.restart_due = false;
        entry->save_wanted = true;
    }
    manifest_engine_wake(entry->engine);
}

/* ---- repair ------------------------------------------------------------------------------------------------------ */

static void repaired(struct entry *entry, struct job *job)
{
    size_t changed = entry->attempt->place.n_write;

    make_attempt_free(entry->attempt);
    entry->attempt = NULL;
    entry->r.restart_due = entry->r.restart_due || job->saved <= 0; /* which the text says */
    advance_take_saved(entry, job);
    entry->vault.verify = false;
    if (!vault_wants(entry))
        secret_wipe(entry);
    content_repair_ended(entry, job);
    if (job->r < 0) {
        advance_note_about(entry, ENTRY_NOTE_LOOK, job->outcome.reason, job->outcome.message);
        drift_look_again(entry);
        return;
    }
    advance_note(entry, HF_MANIFEST_REASON_NONE, NULL);
    if (changed > 0) {
        entry->watch_stale = true;
        drift_watch(entry);
        drift_repaired(entry, hf_diff_text(&job->diff));
        entry->save_wanted = true;
    }
    if (changed > 0 || entry->r.restart_due)
        restart(entry);
}

/* Prepares the text of the record that the repair writes before its first file changes. */
static int prepare_record(struct entry *entry, struct job *job)
{
    if (entry->r.restart_due || unit_call_unit(&entry->r.good)[0] == '\0')
        return 0;
    entry->r.restart_due = true;
    int r = hf_manifest_record_format(&entry->r, &job->text);
    entry->r.restart_due = false;
    return r;
}

static bool start_repair(struct entry *entry)
{
    struct job *job = task_new(entry, repair_run, repaired);

    entry->attempt = make_attempt(entry, &entry->r.good);
    if (job == NULL || entry->attempt == NULL || prepare_record(entry, job) < 0) {
        task_discard(job);
        make_attempt_free(entry->attempt);
        entry->attempt = NULL;
        return false;
    }
    hf_repair_pace_spend(&entry->pace, manifest_engine_now(entry->engine));
    task_submit(job);
    return true;
}

bool drift_verify(struct entry *entry)
{
    return start_repair(entry);
}

/* ---- look -------------------------------------------------------------------------------------------------------- */

static void looked(struct entry *entry, struct job *job)
{
    struct hf_manifest_engine *engine = entry->engine;
    uint64_t now = manifest_engine_now(engine), wait = hf_repair_pace_wait_ns(&entry->pace, now);
    char text[HF_RECORD_MESSAGE];

    hf_manifest_counts_look(&engine->counts);
    drift_watch(entry);
    if (job->r < 0) {
        (void)hf_err_text(&job->err, text, sizeof(text));
        advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_WRITE_FAILED, text);
        drift_look_again(entry);
        return;
    }
    /* One file may lie on a worn block. If the disk reads it no more however often it is written, the disk is worn. */
    entry->unreadable_looks = job->unreadable ? entry->unreadable_looks + 1 : 0;
    if (entry->unreadable_looks > MANIFEST_MAX_UNREADABLE) {
        (void)snprintf(text, sizeof(text),
                       "files cannot be read even after they were written again, so the agent stops writing them: %s",
                       HF_CUT(280, hf_diff_text(&job->diff)));
        advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_WRITE_FAILED, text);
        drift_look_again(entry);
        return;
    }
    bool is_good = job->diff.n == 0 && (!entry->inventory.pending || secret_is(entry->r.good.entry));
    if (is_good && !entry->r.restart_due) {
        advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_NONE, NULL);
        return;
    }
    if (is_good && wait == 0) {
        hf_repair_pace_spend(&entry->pace, now);
        restart(entry);
        return;
    }
    if (wait == 0 && secret_is(entry->r.good.entry) && !secret_has(entry, &entry->r.good)) {
        if (vault_open(entry, &entry->r.good))
            return;
        hf_repair_pace_spend(&entry->pace, now);
        secret_fetch_drifted(entry, &job->diff);
        return;
    }
    if (wait == 0 && start_repair(entry))
        return;
    entry->look_wanted = true;
    entry->look_due_ns = now + HF_MAX(wait, HF_NS_PER_S);
}

/* The content of a Secret has come out of the sealed copy. */
static bool verify_restored(struct entry *entry)
{
    if (!entry->vault.verify || !hf_manifest_machine_rests(entry->r.phase) || entry->r.phase == HF_MANIFEST_WAITING ||
        entry->r.unproven || !secret_has(entry, &entry->r.good))
        return false;
    entry->secret_lost = false;
    return start_repair(entry);
}

/* Without a watch no change is told, and the interval of the policy may be long. */
static void look_unwatched(struct entry *entry, uint64_t now)
{
    uint64_t next = entry->looked_ns + unwatched_look_ns;

    if (!entry->unwatched || entry->look_wanted)
        return;
    if (next > now)
        manifest_engine_wake_in(entry->engine, next - now);
    else
        entry->look_wanted = true;
}

bool drift_consider(struct entry *entry)
{
    struct hf_manifest_engine *engine = entry->engine;
    uint64_t now = manifest_engine_now(engine);

    if (verify_restored(entry))
        return true;
    /* A swap that was cut short is a repair's unless something unproven is in place, and a look finds what to do. A cut
     * swap of an attempt is ended by the attempt itself, or by the next set. */
    if (entry->r.good.key[0] == '\0' || !hf_manifest_machine_rests(entry->r.phase) || entry->r.unproven ||
        hf_inventory_files(&entry->inventory) == 0)
        return false;
    look_unwatched(entry, now);
    if (!entry->look_wanted)
        return false;
    if (entry->look_due_ns > now) {
        manifest_engine_wake_in(engine, entry->look_due_ns - now);
        return false;
    }
    struct job *job = task_new(entry, repair_run_look, looked);
    if (job == NULL)
        return false;
    job->full = entry->look_full;
    entry->look_wanted = entry->look_full = false;
    entry->look_due_ns = 0;
    entry->looked_ns = now;
    task_submit(job);
    return true;
}

/* ---- watches ----------------------------------------------------------------------------------------------------- */

static void fired(void *arg)
{
    const struct entry_watch *watch = arg;
    struct entry *entry = watch->entry;
    uint64_t due = manifest_engine_now(entry->engine) + debounce_ns;

    if (entry->look_wanted && entry->look_due_ns <= due)
        return;
    entry->look_wanted = true;
    entry->look_due_ns = HF_MAX(due, entry->look_due_ns);
    manifest_engine_wake(entry->engine);
}

void drift_unwatch(struct entry *entry)
{
    const struct hf_watch_ops *ops = entry->engine->p.env.watch;

    for (size_t i = 0; i < entry->n_watches; i++)
        ops->remove(ops->ctx, entry->watches[i].watch);
    entry->engine->n_watches -= (unsigned)entry->n_watches;
    free(entry->watches);
    entry->watches = NULL;
    entry->n_watches = 0;
}

/* Counts the folders of the files, which are sorted by path: folders may come more than once. */
static size_t each_folder(const struct hf_inventory *inventory, char (*folders)[HF_FILES_MAX_PATH], size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < inventory->n && n < max; i++) {
        const char *path = inventory->items[i].path, *slash = strrchr(path, '/');
        size_t length = (size_t)(slash - path), k = n;
        if (inventory->items[i].folder || length >= HF_FILES_MAX_PATH)
            continue;
        while (k > 0 && (strncmp(folders[k - 1], path, length) != 0 || folders[k - 1][length] != '\0'))
            k--;
        if (k == 0)
            (void)snprintf(folders[n++], HF_FILES_MAX_PATH, "%.*s", (int)length, path);
    }
    return n;
}

/* Says it once: until then, changes in these folders show at the next look only. */
static void set_unwatched(struct entry *entry, bool is, const struct hf_err *err)
{
    if (is && !entry->unwatched && err->code != ENOENT)
        hf_log_err(entry->engine->p.env.log, HF_LOG_WARNING, "manifest.unwatched", "entry", entry->name, err);
    entry->unwatched = is;
}

/* Watches each folder that the kernel lets it watch. Returns 0, or what went wrong with the first of the others. */
static int watch_all(struct entry *entry, char (*folders)[HF_FILES_MAX_PATH], size_t n, struct hf_err *err)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    const struct hf_watch_ops *ops = env->watch;
    int failed = 0;

    entry->watches = calloc(n, sizeof(*entry->watches));
    if (entry->watches == NULL)
        return hf_err_sys(err, -ENOMEM, "watch %zu folders", n);
    for (size_t i = 0; i < n; i++) {
        struct entry_watch *watch = &entry->watches[entry->n_watches];
        char path[2 * HF_FILES_MAX_PATH];
        (void)snprintf(path, sizeof(path), "%s%s", env->host_root != NULL ? env->host_root : "",
                       folders[i][0] != '\0' ? folders[i] : "/");
        watch->entry = entry;
        int r = ops->add(ops->ctx, path, fired, watch, &watch->watch, failed == 0 ? err : NULL);
        if (r == 0)
            entry->n_watches++;
        else if (failed == 0)
            failed = r;
    }
    entry->engine->n_watches += (unsigned)entry->n_watches;
    return failed;
}

void drift_watch(struct entry *entry)
{
    struct hf_err err = HF_ERR_INIT;
    int r = 0;

    if (entry->engine->p.env.watch == NULL || !entry->watch_stale)
        return;
    entry->watch_stale = false;
    drift_unwatch(entry);
    size_t room = MANIFEST_MAX_WATCHES - HF_MIN(entry->engine->n_watches, (unsigned)MANIFEST_MAX_WATCHES);
    char(*folders)[HF_FILES_MAX_PATH] = calloc(room + 1, sizeof(*folders));
    size_t n = folders != NULL ? each_folder(&entry->inventory, folders, room + 1) : 0;
    if (folders == NULL)
        r = hf_err_sys(&err, -ENOMEM, "watch the folders");
    else if (n > room)
        r = hf_err_set(&err, ENOSPC, "watch the folders: all entries together may watch %d", MANIFEST_MAX_WATCHES);
    else if (n > 0)
        r = watch_all(entry, folders, n, &err);
    set_unwatched(entry, r < 0, &err);
    free(folders);
}
