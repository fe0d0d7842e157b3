/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for drift in what is in place, and repairs it from the entry's own copy of the content.
 *
 * A look is a job that compares the files with the inventory; it reads no content. It is due when a watch of a folder
 * fires, when an interval of the policy has passed, or every 30 s if a folder has no watch. What follows from it is
 * decided by hf_drift_machine_judge(): a repair is a second job, which places the good set once more over what differs
 * (repair.c), and then the unit restarts. HF_REPAIR_BURST bounds how often that may be: somebody who changes a file
 * again and again must not have the agent write all day.
 *
 * A repair that is cut short leaves the inventory pending. The next look takes that for drift, and repairs again. The
 * record has `restart_due` from before the first write until the unit has restarted.
 *
 * Objects of the cluster have looks of their own (targets/target_cluster.c), with the same states, pace and notes. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/cut.h"
#include "loop/watch.h"
#include "manifests/content/content.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/repair.h"
#include "manifests/targets/target.h"
#include "manifests/unit_call.h"

static const uint64_t debounce_ns = 200 * HF_NS_PER_MS;

/* ---- the struct -------------------------------------------------------------------------------------------------- */

uint64_t drift_wait_ns(const struct drift *drift, uint64_t now_ns)
{
    return hf_bucket_wait_ns(&drift->repairs, HF_REPAIR_BURST, HF_REPAIR_GAP_NS, now_ns);
}

void drift_spend(struct drift *drift, uint64_t now_ns)
{
    hf_bucket_spend(&drift->repairs, HF_REPAIR_GAP_NS, now_ns);
}

void drift_move(struct drift *drift, enum hf_drift_event event)
{
    bool known;

    drift->state = hf_drift_machine_move(drift->state, event, &known);
    assert(known);
    assert(drift->state != HF_DRIFT_CLEAN || drift->due_ns == 0);
}

void drift_want(struct drift *drift)
{
    drift_move(drift, HF_DRIFT_EV_WANTED);
}

bool drift_want_at(struct drift *drift, uint64_t due_ns)
{
    if (hf_drift_machine_wants(drift->state) && drift->due_ns <= due_ns)
        return false;
    drift->due_ns = HF_MAX(due_ns, drift->due_ns);
    drift_want(drift);
    return true;
}

void drift_pace(struct drift *drift, uint64_t due_ns)
{
    drift->due_ns = due_ns;
    drift_move(drift, HF_DRIFT_EV_PACED);
}

bool drift_begin(struct drift *drift, uint64_t now_ns)
{
    bool full = drift->full;

    assert(drift->due_ns <= now_ns);
    drift->full = false;
    drift->due_ns = 0;
    drift->looked_ns = now_ns;
    drift_move(drift, HF_DRIFT_EV_BEGAN);
    return full;
}

void drift_look_again(struct entry *entry)
{
    drift_pace(&entry->drift, advance_pause(entry));
}

void drift_repaired(struct entry *entry, const char *what)
{
    hf_metric_add(entry->engine->counts.repairs, 1);
    entry->r.drifts++;
    entry->r.drift_unix_ns = hf_unix_ns(entry->engine->p.env.world.clock);
    if (entry->r.phase == HF_MANIFEST_APPLIED && !target_of(entry, &entry->r.good)->is_unchecked(entry))
        entry->r.reason = HF_MANIFEST_REASON_DRIFT_REPAIRED;
    (void)snprintf(entry->r.message, sizeof(entry->r.message), "put back: %s", HF_CUT(360, what));
    advance_doubt_pods(entry);
    repair_tell(entry, entry->r.message);
    hf_steer_core_notify(&entry->engine->core);
}

/* ---- the unit, which may have read the changed files ------------------------------------------------------------- */

static void note_restart(struct entry *entry, const struct hf_err *err)
{
    advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_RESTART_FAILED, HF_ERR_TEXT(err));
}

/* A restart that takes longer than the agent waits for goes on in systemd, and another one would end it. */
static void restarted(void *arg, int r, const struct hf_err *err)
{
    struct entry *entry = arg;

    assert(entry->busy && entry->r.restart_due);
    entry->unit.call = NULL;
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
    hf_steer_machine_wake(&entry->machine);
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
    hf_steer_machine_wake(&entry->machine);
}

/* ---- repair ------------------------------------------------------------------------------------------------------ */

static void repaired(struct entry *entry, struct job *job)
{
    struct repair *repair = hf_container_of(job, struct repair, job);
    size_t changed = entry->attempt->place.found.n_write;

    assert(strcmp(entry->attempt->set.key, entry->r.good.key) == 0);
    drift_move(&entry->drift, HF_DRIFT_EV_ENDED);
    make_attempt_free(hf_steal(entry->attempt));
    entry->r.restart_due = entry->r.restart_due || repair->saved <= 0; /* which the text says */
    advance_take_saved(entry, repair->saved, &repair->text);
    content_store_repaired(entry);
    content_repair_ended(entry, job);
    if (job->r < 0) {
        advance_note_about(entry, ENTRY_NOTE_LOOK, job->outcome.reason, job->outcome.message);
        drift_look_again(entry);
        return;
    }
    advance_note(entry, HF_MANIFEST_REASON_NONE, NULL);
    if (changed > 0) {
        entry->drift.watch_stale = true;
        drift_watch(entry);
        drift_repaired(entry, hf_diff_text(&repair->diff));
        entry->save_wanted = true;
    }
    if (changed > 0 || entry->r.restart_due)
        restart(entry);
}

/* Prepares the text of the record that the repair writes before its first file changes. */
static int prepare_record(struct entry *entry, struct repair *repair)
{
    if (entry->r.restart_due || unit_call_unit(&entry->r.good)[0] == '\0')
        return 0;
    entry->r.restart_due = true;
    int r = hf_manifest_record_format(&entry->r, &repair->text);
    entry->r.restart_due = false;
    return r;
}

static bool start_repair(struct entry *entry)
{
    struct repair *repair = repair_new(entry, repaired);

    assert(entry->attempt == NULL && hf_manifest_machine_rests(entry->r.phase));
    assert(entry->r.good.key[0] != '\0');
    entry->attempt = make_attempt(entry, &entry->r.good);
    if (repair == NULL || entry->attempt == NULL || prepare_record(entry, repair) < 0) {
        task_discard(repair);
        make_attempt_free(hf_steal(entry->attempt));
        return false;
    }
    drift_spend(&entry->drift, hf_steer_core_now_ns(&entry->engine->core));
    drift_move(&entry->drift, HF_DRIFT_EV_DRIFTED);
    task_submit(&repair->job);
    return true;
}

bool drift_verify(struct entry *entry)
{
    return start_repair(entry);
}

/* ---- look -------------------------------------------------------------------------------------------------------- */

/* A swap that was cut short leaves the inventory pending. That of a Secret is whole or gone after a power cut. */
static struct hf_drift_finding find(const struct entry *entry, const struct drift_look *look, uint64_t wait_ns)
{
    const struct hf_manifest_set *good = &entry->r.good;
    bool cut = entry->inventory.pending && !content_store_in_memory(entry, good);
    struct hf_drift_finding finding = {
        .unreadable = entry->drift.unreadable, .restart_due = entry->r.restart_due, .wait_ns = wait_ns};

    finding.failed = look->job.r < 0;
    finding.drifted = look->diff.n > 0 || cut;
    finding.absent = !content_store_has(entry, good);
    return finding;
}

/* Says why no repair follows from the look. */
static void not_repaired(struct entry *entry, const char *text)
{
    advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_WRITE_FAILED, text);
    drift_look_again(entry);
}

/* One file may lie on a worn block. If the disk reads it no more however often it is written, the disk is worn. */
static void stop_writing(struct entry *entry, struct hf_diff *diff)
{
    char text[HF_RECORD_MESSAGE];

    (void)snprintf(text, sizeof(text),
                   "files cannot be read even after they were written again, so the agent stops writing them: %s",
                   HF_CUT(280, hf_diff_text(diff)));
    not_repaired(entry, text);
}

static void looked(struct entry *entry, struct job *job)
{
    struct drift_look *look = hf_container_of(job, struct drift_look, job);
    struct drift *drift = &entry->drift;
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core), wait = drift_wait_ns(drift, now);

    hf_metric_add(entry->engine->counts.looks, 1);
    drift_watch(entry);
    if (job->r >= 0)
        drift->unreadable = job->unreadable ? drift->unreadable + 1 : 0;
    const struct hf_drift_finding finding = find(entry, look, wait);
    switch (hf_drift_machine_judge(&finding)) {
    case HF_DRIFT_FAILED:
        not_repaired(entry, HF_ERR_TEXT(&job->err));
        break;
    case HF_DRIFT_WORN:
        stop_writing(entry, &look->diff);
        break;
    case HF_DRIFT_AS_WANTED:
        drift_move(drift, HF_DRIFT_EV_ENDED);
        advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_NONE, NULL);
        break;
    case HF_DRIFT_RESTART:
        drift_move(drift, HF_DRIFT_EV_ENDED);
        drift_spend(drift, now);
        restart(entry);
        break;
    case HF_DRIFT_FETCH:
        drift_move(drift, HF_DRIFT_EV_ENDED);
        content_store_drifted(entry, &look->diff);
        break;
    case HF_DRIFT_REPAIR:
        if (!start_repair(entry))
            drift_pace(drift, now + HF_NS_PER_S);
        break;
    case HF_DRIFT_PACE:
        drift_pace(drift, now + HF_MAX(wait, HF_NS_PER_S));
        break;
    }
}

bool drift_consider(struct entry *entry)
{
    struct hf_manifest_engine *engine = entry->engine;
    struct drift *drift = &entry->drift;
    uint64_t now = hf_steer_core_now_ns(&engine->core);

    if (content_store_verifies(entry) && start_repair(entry))
        return true;
    /* A swap that was cut short is a repair's unless something unproven is in place, and a look finds what to do. A cut
     * swap of an attempt is ended by the attempt itself, or by the next set. */
    if (entry->r.good.key[0] == '\0' || !hf_manifest_machine_rests(entry->r.phase) || entry->r.unproven ||
        hf_inventory_files(&entry->inventory) == 0)
        return false;
    uint64_t wait = hf_drift_machine_wait_ns(drift->state, drift->due_ns, drift->unwatched, drift->looked_ns, now);
    if (wait > 0) {
        if (wait != HF_NEVER)
            hf_steer_machine_wake_in(&entry->machine, wait);
        return false;
    }
    drift_want(drift);
    struct drift_look *look = repair_look_new(entry, false, looked);
    if (look == NULL)
        return false;
    look->full = drift_begin(drift, now);
    task_submit(&look->job);
    return true;
}

/* ---- watches ----------------------------------------------------------------------------------------------------- */

static void fired(void *arg)
{
    const struct entry_watch *watch = arg;
    struct entry *entry = watch->entry;

    if (drift_want_at(&entry->drift, hf_steer_core_now_ns(&entry->engine->core) + debounce_ns))
        hf_steer_machine_wake(&entry->machine);
}

void drift_unwatch(struct entry *entry)
{
    const struct hf_watch_ops *ops = entry->engine->p.env.watch;

    for (size_t i = 0; i < entry->drift.n_watches; i++)
        ops->remove(ops->ctx, entry->drift.watches[i].watch);
    assert(entry->engine->n_watches >= entry->drift.n_watches);
    entry->engine->n_watches -= (unsigned)entry->drift.n_watches;
    free(hf_steal(entry->drift.watches));
    entry->drift.n_watches = 0;
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
    if (is && !entry->drift.unwatched && err->code != ENOENT)
        hf_log_err(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.unwatched", "entry", entry->name, err);
    entry->drift.unwatched = is;
}

/* Watches each folder that the kernel lets it watch. Returns 0, or what went wrong with the first of the others. */
static int watch_all(struct entry *entry, char (*folders)[HF_FILES_MAX_PATH], size_t n, struct hf_err *err)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    const struct hf_watch_ops *ops = env->watch;
    int failed = 0;

    entry->drift.watches = calloc(n, sizeof(*entry->drift.watches));
    if (entry->drift.watches == NULL)
        return hf_err_sys(err, -ENOMEM, "watch %zu folders", n);
    for (size_t i = 0; i < n; i++) {
        struct entry_watch *watch = &entry->drift.watches[entry->drift.n_watches];
        char path[2 * HF_FILES_MAX_PATH];
        (void)snprintf(path, sizeof(path), "%s%s", env->host_root != NULL ? env->host_root : "",
                       folders[i][0] != '\0' ? folders[i] : "/");
        watch->entry = entry;
        int r = ops->add(ops->ctx, path, fired, watch, &watch->watch, failed == 0 ? err : NULL);
        if (r == 0)
            entry->drift.n_watches++;
        else if (failed == 0)
            failed = r;
    }
    entry->engine->n_watches += (unsigned)entry->drift.n_watches;
    return failed;
}

void drift_watch(struct entry *entry)
{
    struct hf_err err = HF_ERR_INIT;
    int r = 0;

    if (entry->engine->p.env.watch == NULL || !entry->drift.watch_stale)
        return;
    entry->drift.watch_stale = false;
    drift_unwatch(entry);
    size_t room = MANIFEST_MAX_WATCHES - HF_MIN(entry->engine->n_watches, (unsigned)MANIFEST_MAX_WATCHES);
    char(*folders)[HF_FILES_MAX_PATH] = calloc(room + 1, sizeof(*folders));
    size_t n = folders != NULL ? each_folder(&entry->inventory, folders, room + 1) : 0;
    if (folders == NULL)
        r = hf_err_sys(&err, -ENOMEM, "watch the folders");
    else if (n > room)
        r = hf_err_set(&err, ENOSPC, "watch the folders: all entries together may watch %d", MANIFEST_MAX_WATCHES);
    else if (n > 0) {
        r = watch_all(entry, folders, n, &err);
        drift_want(&entry->drift); /* what changed before the watches fires nothing */
    }
    set_unwatched(entry, r < 0, &err);
    free(folders);
}
