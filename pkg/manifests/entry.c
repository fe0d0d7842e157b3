/* SPDX-License-Identifier: Apache-2.0 */
/* One entry: load its record, consider what it needs now.
 *
 * A file calls files of its row and of later rows: engine.c; entry.c; targets/; commit.c drift.c removal.c; content/;
 * repair.c; make.c; advance.c; unit_call.c; task.c counts.c. Upward they go through tables of entry.c, or
 * the engine's (targets/target.h); make.c alone calls permit_scope(). */
#include "manifests/entry.h"
#include "manifests/commit.h"
#include "manifests/content/content.h"
#include "manifests/content/images.h"
#include "manifests/content/permit.h"
#include "manifests/content/store.h"
#include "manifests/removal.h"
#include "manifests/rules/gate.h"
#include "manifests/targets/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "manifests/files/before.h"

static void place(struct entry *entry)
{
    target_of(entry, &entry->r.next)->place(entry);
}

static void probe(struct entry *entry)
{
    target_of(entry, &entry->r.next)->probe(entry);
}

static void roll_back(struct entry *entry)
{
    target_of(entry, &entry->r.next)->roll_back(entry);
}

static const struct entry_actions actions = {.start = {
                                                 [HF_MANIFEST_ACT_PLACE] = place,
                                                 [HF_MANIFEST_ACT_PROBE] = probe,
                                                 [HF_MANIFEST_ACT_COMMIT] = commit_start,
                                                 [HF_MANIFEST_ACT_ROLLBACK] = roll_back,
                                                 [HF_MANIFEST_ACT_CLEAN] = commit_clean,
                                             }};

static const struct content_store *const stores[] = {&content_disk_store, &content_memory_store, NULL};

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct entry *entry_new(struct hf_manifest_engine *engine, const char *name)
{
    struct entry *entry = calloc(1, sizeof(*entry));

    if (entry == NULL)
        return NULL;
    entry->engine = engine;
    entry->actions = &actions;
    entry->stores = stores;
    entry->name = strdup(name);
    entry->folder = hf_asprintf("%s/%s", engine->folder, name);
    advance_init(entry);
    entry->drift.watch_stale = entry->download_left = true;
    hf_manifest_record_init(&entry->r);
    if (entry->name == NULL || entry->folder == NULL) {
        entry_free(entry);
        return NULL;
    }
    return entry;
}

void entry_free(struct entry *entry)
{
    if (entry == NULL)
        return;
    content_stop(entry);
    task_drop(entry);
    content_store_done(entry);
    drift_unwatch(entry);
    make_attempt_free(entry->attempt);
    make_attempt_free(entry->pods.good);
    make_entry_free(entry->wanted);
    hf_manifest_images_done(&entry->images.found);
    hf_manifest_set_done(&entry->permit.keyed);
    json_decref(entry->shown.json);
    hf_manifest_record_done(&entry->r);
    hf_inventory_done(&entry->inventory);
    hf_steer_machine_done(&entry->machine);
    free(entry->name);
    free(entry->folder);
    free(entry);
}

/* A part of the state would let the entry take its own files for those of somebody else. */
static int load_failed(struct entry *entry, int r, const struct hf_err *err)
{
    hf_manifest_record_done(&entry->r);
    hf_inventory_done(&entry->inventory);
    if (r == -ENOMEM)
        return r;
    if (entry->life != ENTRY_UNREADABLE)
        hf_log_err(entry->engine->p.env.world.log, HF_LOG_ERROR, "manifest.unreadable", "entry", entry->name, err);
    entry->life = ENTRY_UNREADABLE;
    advance_note(entry, HF_MANIFEST_REASON_WRITE_FAILED, HF_ERR_TEXT(err));
    return 0;
}

/* True if an earlier process removed all files of the good set, and ended before it forgot the entry: every set has a
 * file. An entry that a policy has again would otherwise count as applied, with nothing in place. */
static bool lacks_all_files(const struct entry *entry)
{
    return hf_manifest_machine_rests(entry->r.phase) && entry->r.good.key[0] != '\0' &&
           target_of(entry, &entry->r.good)->lacks_all(entry);
}

int entry_load(struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_manifest_record_load(env->world.fs, entry->folder, &entry->r, &err);
    bool damaged = r == -EBADMSG, lost = damaged || r == -ENOENT;

    if (r == -EBADMSG)
        hf_log_err(env->world.log, HF_LOG_ERROR, "manifest.record_lost", "entry", entry->name, &err);
    if (r < 0 && r != -ENOENT && r != -EBADMSG)
        return load_failed(entry, r, &err);
    r = hf_inventory_load(env->world.fs, entry->folder, "inventory", &entry->inventory, &err);
    if (r == -EBADMSG)
        hf_log_err(env->world.log, HF_LOG_ERROR, "manifest.inventory_lost", "entry", entry->name, &err);
    if (r < 0 && r != -ENOENT && r != -EBADMSG)
        return load_failed(entry, r, &err);
    if (r < 0 && target_of(entry, &entry->r.good)->make_inventory(entry, &err) < 0)
        hf_log_err(env->world.log, HF_LOG_ERROR, "manifest.inventory_not_made", "entry", entry->name, &err);
    entry->life = ENTRY_NEW;
    entry->written_phase = entry->r.phase;
    if (damaged || (lost && entry->inventory.n > 0)) /* nobody knows if what is in place has passed */
        entry->r.good_unknown = entry->r.unproven = true;
    entry->removing = lacks_all_files(entry);
    drift_want(&entry->drift);
    content_store_begin(entry);
    return 0;
}

/* Reads the state again, once per interval. Returns true if the disk can read it now. */
static bool load_again(struct entry *entry)
{
    if (!entry->recheck)
        return false;
    entry->recheck = false;
    if (entry_load(entry) < 0 || entry->life == ENTRY_UNREADABLE)
        return false;
    manifest_engine_wake_dependents(entry->engine);
    advance_note(entry, HF_MANIFEST_REASON_NONE, NULL);
    content_follow(entry);
    return true;
}

/* ---- what is wanted ---------------------------------------------------------------------------------------------- */

static void ask_signed(struct entry *entry)
{
    const struct hf_manifest_engine_params *p = &entry->engine->p;
    struct hf_err err = HF_ERR_INIT;

    entry->permit.distrust = HF_MANIFEST_REASON_UNSIGNED;
    entry->permit.distrust_text[0] = '\0';
    entry->permit.is_signed = entry->wanted != NULL && p->is_signed != NULL &&
                              p->is_signed(p->arg, entry->wanted, &entry->permit.distrust, &err);
    if (!entry->permit.is_signed && err.code != 0)
        (void)hf_err_text(&err, entry->permit.distrust_text, sizeof(entry->permit.distrust_text));
}

int entry_set(struct entry *entry, const struct hf_manifest *wanted)
{
    struct hf_manifest *own = NULL;
    bool was_signed = entry->permit.is_signed;

    if (wanted != NULL && entry->wanted != NULL && json_equal(wanted->json, entry->wanted->json) == 1) {
        ask_signed(entry);
        if (was_signed != entry->permit.is_signed)
            content_stop(entry);
        content_follow(entry);
        return 0;
    }
    char from[HF_SHA256_HEX] = "";
    int r = wanted != NULL ? make_entry(wanted->json, &own, NULL) : 0;
    if (r == 0 && own != NULL)
        r = hf_manifest_source_key(own->json, from);
    if (r < 0) {
        make_entry_free(own);
        return r;
    }
    /* The source borrows the old entry. A new one with the same source need not deliver again what is on disk. */
    content_stop(entry);
    if (entry->wanted != NULL || own != NULL)
        hf_steer_core_notify(&entry->engine->core); /* this entry may lack the fault of the one before */
    entry->download_left = own == NULL && (entry->wanted != NULL || entry->download_left);
    if (entry->wanted == NULL && own != NULL)
        drift_want(&entry->drift); /* a removal that began has taken the watches, and perhaps files */
    make_entry_free(entry->wanted);
    entry->wanted = own;
    content_store_renew(entry, strcmp(entry->content.wanted_from, from) != 0);
    content_renew(&entry->content, from);
    entry->due_ns = 0;
    ask_signed(entry);
    content_follow(entry);
    if (wanted != NULL &&
        entry->machine.wait.reason == HF_MANIFEST_REASON_PRUNE_LIMIT) /* of a removal that has come to nothing */
        advance_note(entry, HF_MANIFEST_REASON_NONE, NULL);
    if (wanted == NULL) { /* many such entries may wait for their removal: keep no more of them in memory than needed */
        hf_manifest_set_done(&entry->permit.keyed);
        hf_steer_machine_forget_text(&entry->machine);
    }
    return 0;
}

/* ---- consider ---------------------------------------------------------------------------------------------------- */

/* A power cut empties the memory, which had all files of a Secret, and may have had those of another source. */
static bool memory_is_empty(const struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    const struct hf_inventory *inventory = &entry->inventory;
    char path[2 * HF_FILES_MAX_PATH];
    struct stat st;
    bool any = false;

    for (size_t i = 0; i < inventory->n; i++) {
        if (inventory->items[i].folder)
            continue;
        any = true;
        (void)snprintf(path, sizeof(path), "%s%s", env->host_root != NULL ? env->host_root : "",
                       inventory->items[i].path);
        if (env->world.fs->fstatat(env->world.fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) != -ENOENT)
            return false;
    }
    return any;
}

static void start(struct entry *entry)
{
    const struct hf_fs_ops *fs = entry->engine->p.env.world.fs;
    bool is_empty = !hf_manifest_machine_rests(entry->r.phase) && memory_is_empty(entry);

    entry->life = ENTRY_STARTED;
    entry->trial.start_counted = entry->r.phase == HF_MANIFEST_PROBATION;
    entry->r.starts += entry->trial.start_counted || entry->r.phase == HF_MANIFEST_ROLLING_BACK;
    /* The files of somebody else that a Secret has taken over are gone, too. Those of another set may be on a disk. */
    if (is_empty && content_store_in_memory(entry, &entry->r.next))
        (void)!hf_files_before_forget(fs, entry->folder, NULL);
    if (is_empty && entry->r.phase == HF_MANIFEST_PROBATION)
        entry->r.phase = HF_MANIFEST_APPLYING; /* with its count of starts: what is on trial has to come first */
    entry->resumed = entry->r.phase == HF_MANIFEST_APPLYING;
    entry->r.unproven = entry->r.unproven || (entry->resumed && target_of(entry, &entry->r.next)->cut_is_unproven);
    entry->permit.was_refused = entry->r.phase == HF_MANIFEST_REFUSED;
    drift_watch(entry);
    advance_event(entry, HF_MANIFEST_EV_STARTED, HF_MANIFEST_REASON_NONE, NULL);
}

static bool is_applied(const struct hf_manifest_engine *engine, const char *name)
{
    const struct entry *other = hf_strmap_get(&engine->entries, name);

    return other != NULL && other->r.phase == HF_MANIFEST_APPLIED;
}

static enum hf_manifest_reason ask_gate(const struct entry *entry, char text[HF_RECORD_MESSAGE])
{
    const struct hf_manifest_engine *engine = entry->engine;
    struct hf_manifest_gate gate = {.held = engine->held, .stale = engine->stale, .no_space = engine->p.env.no_space};

    text[0] = '\0';
    for (size_t i = 0; entry->wanted->depends_on[i] != NULL && !gate.dependency_waits; i++)
        if (!is_applied(engine, entry->wanted->depends_on[i])) {
            gate.dependency_waits = true;
            (void)snprintf(text, HF_RECORD_MESSAGE, "waits for the entry '%s'", entry->wanted->depends_on[i]);
        }
    enum hf_manifest_reason reason = hf_manifest_gate_ask(&gate);
    if (reason != HF_MANIFEST_REASON_DEPENDENCY_NOT_APPLIED)
        text[0] = '\0';
    return reason;
}

/* A refusal of the whole entry, whatever its content is. */
static bool refuse(struct entry *entry)
{
    struct hf_err err = HF_ERR_INIT;
    char text[HF_RECORD_MESSAGE];
    enum hf_manifest_reason reason = permit_ask(entry, &err);

    if (reason == HF_MANIFEST_REASON_NONE)
        return false;
    content_stop(entry);
    entry->permit.was_refused = true;
    (void)hf_err_text(&err, text, sizeof(text));
    hf_utf8_trim(text); /* as the record has it; otherwise each attempt would be news */
    if (entry->r.phase == HF_MANIFEST_REFUSED && entry->r.reason == reason && strcmp(entry->r.message, text) == 0)
        return true;
    if (entry->r.phase != HF_MANIFEST_WAITING && entry->r.phase != HF_MANIFEST_FETCHING)
        advance_event(entry, HF_MANIFEST_EV_NEWS, reason, text);
    else
        advance_event(entry, HF_MANIFEST_EV_REFUSED, reason, text);
    return true;
}

/* A refused set, once per interval: a person may have changed something on the node. The entry stays in Refused while
 * nothing else comes of it. Returns true if something has started. */
static bool try_again(struct entry *entry, struct hf_manifest_set *set)
{
    struct hf_manifest_record *r = &entry->r;
    char text[HF_RECORD_MESSAGE];

    if (ask_gate(entry, text) != HF_MANIFEST_REASON_NONE)
        return false;
    memcpy(set->root, r->next.root, sizeof(set->root)); /* what an earlier attempt left is to be cleaned up there */
    hf_manifest_set_done(&r->next);
    r->next = *set;
    *set = (struct hf_manifest_set){.entry = NULL};
    if (!content_store_again(entry))
        entry->actions->start[HF_MANIFEST_ACT_PLACE](entry);
    return true;
}

/* Takes up a new set. Returns true if it is one. If it has to wait for the pace of labels, writes why into `paced`. */
static bool take_up(struct entry *entry, struct hf_manifest_set *set, char paced[HF_RECORD_MESSAGE])
{
    struct hf_manifest_record *r = &entry->r;
    bool again = r->phase == HF_MANIFEST_REFUSED && (entry->recheck || content_store_is_again(entry)) &&
                 hf_manifest_gate_retry(r->reason) == HF_MANIFEST_RETRY_INTERVAL;
    bool is_good = strcmp(set->key, r->good.key) == 0, is_next = strcmp(set->key, r->next.key) == 0;
    bool refetched = r->phase == HF_MANIFEST_FETCHING; /* its content was lost, and has come again */
    bool anew = entry->permit.was_refused || entry->removing;

    if (is_next && r->phase == HF_MANIFEST_WAITING)
        r->next.signed_ = set->signed_; /* the signature may have been taken back, or have come, since */
    if ((is_next && !again && !refetched && !anew) || (is_good && r->phase == HF_MANIFEST_APPLIED && !entry->removing))
        return false;
    if (is_next && again && !anew)
        return try_again(entry, set);
    /* A new content has been counted when it came. Labels of the node can change as often. */
    if (!is_next && !refetched && strcmp(set->digest, r->next.digest) == 0 && !content_pace_takes(entry, paced))
        return false;
    entry->permit.was_refused = entry->invalid = entry->removing = false;
    entry->due_ns = 0;
    hf_manifest_set_done(&r->next);
    r->next = *set;
    *set = (struct hf_manifest_set){.entry = NULL};
    advance_event(entry, HF_MANIFEST_EV_NEWS, HF_MANIFEST_REASON_NONE, NULL);
    return true;
}

/* Returns the gate that keeps the newest set out, or NONE. */
static enum hf_manifest_reason find_gate(const struct entry *entry, char text[HF_RECORD_MESSAGE])
{
    /* What was in place before a reboot emptied the memory is no news. */
    bool again = content_store_in_memory(entry, &entry->r.next) && strcmp(entry->r.next.key, entry->r.good.key) == 0;

    if (entry->r.phase != HF_MANIFEST_WAITING || again)
        return HF_MANIFEST_REASON_NONE;
    return ask_gate(entry, text);
}

/* Waiting with a set that no gate keeps out: may it go? */
static void wait_or_go(struct entry *entry)
{
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core);

    if (entry->invalid || content_store_waits(entry))
        return;
    if (entry->due_ns > now) {
        if (entry->due_ns != HF_NEVER)
            hf_steer_machine_wake_in(&entry->machine, entry->due_ns - now);
        return;
    }
    entry->actions->start[HF_MANIFEST_ACT_PLACE](entry);
}

/* The newest set, or what keeps it out. One note says what it waits for: two that took turns would call the engine
 * again and again. */
static void consider_next(struct entry *entry, const char *paced)
{
    char text[HF_RECORD_MESSAGE];
    enum hf_manifest_reason gate = find_gate(entry, text);

    if (gate != HF_MANIFEST_REASON_NONE)
        advance_note_about(entry, ENTRY_NOTE_WAIT, gate, text);
    else if (paced[0] != '\0')
        advance_note_about(entry, ENTRY_NOTE_WAIT, HF_MANIFEST_REASON_CONTENT_PACED, paced);
    else
        advance_note_about(entry, ENTRY_NOTE_WAIT, HF_MANIFEST_REASON_NONE, NULL);
    if (gate == HF_MANIFEST_REASON_NONE && entry->r.phase == HF_MANIFEST_WAITING)
        wait_or_go(entry);
}

static void consider_resting(struct entry *entry)
{
    struct hf_manifest_set set = {.entry = NULL};
    char paced[HF_RECORD_MESSAGE] = "";
    struct hf_err err = HF_ERR_INIT;
    int r;

    if (refuse(entry) || content_consider(entry) || removal_revoke(entry))
        return;
    r = permit_candidate(entry, &set, &err);
    if (r == 0 && content_images_consider(entry, &set)) {
        hf_manifest_set_done(&set);
        return;
    }
    if (r == 0 && take_up(entry, &set, paced)) {
        entry->recheck = false;
        return;
    }
    hf_manifest_set_done(&set);
    entry->recheck = false;
    if (r == -ENOENT && entry->permit.was_refused) {
        entry->permit.was_refused = false;
        advance_event(entry, HF_MANIFEST_EV_NEWS, HF_MANIFEST_REASON_NONE, NULL);
        return;
    }
    if (r == 0)
        consider_next(entry, paced);
    else if (entry->r.phase == HF_MANIFEST_WAITING && r == -ENOENT)
        advance_event(entry, HF_MANIFEST_EV_LACKS, HF_MANIFEST_REASON_NONE, NULL);
    else if (r == -ENOENT)
        advance_note_about(entry, ENTRY_NOTE_WAIT, HF_MANIFEST_REASON_NONE, NULL);
}

static void consider_unfinished(struct entry *entry)
{
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core);

    if (content_store_stalls(entry))
        return;
    if (entry->due_ns > now)
        hf_steer_machine_wake_in(&entry->machine, entry->due_ns - now);
    else
        advance_event(entry, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE, NULL);
}

/* A cleanup that failed, a sealed copy that must go, or a content that waits to be sealed. */
static bool wants_cleanup(const struct entry *entry)
{
    if (entry->cleanup != ENTRY_CLEANUP_DONE)
        return entry->cleanup == ENTRY_CLEANUP_DUE;
    return content_store_wants_cleanup(entry);
}

/* Returns true if a removal has begun, and has not come to its end: what it has left is no drift. */
static bool is_half_removed(const struct entry *entry)
{
    return (entry->removing && entry->wanted == NULL) || (content_store_is_revoked(entry) && entry->inventory.pending);
}

static bool drifts(struct entry *entry)
{
    return !is_half_removed(entry) && target_of(entry, &entry->r.good)->look(entry);
}

void entry_consider(struct entry *entry)
{
    if (entry->life == ENTRY_GONE || (entry->life == ENTRY_UNREADABLE && !load_again(entry)))
        return;
    content_hold(entry);
    if (!task_is_free(entry))
        return;
    if (entry->life == ENTRY_NEW) {
        start(entry);
        return;
    }
    if (entry->machine.unsaved || entry->save_wanted) {
        if (entry->machine.unsaved && entry->due_ns > hf_steer_core_now_ns(&entry->engine->core)) {
            hf_steer_machine_wake_in(&entry->machine, entry->due_ns - hf_steer_core_now_ns(&entry->engine->core));
            /* A disk may be full for weeks. But the record on disk may still have a set on trial, and a repair of the
             * good set must not take its objects away. */
            bool on_trial = entry->r.unproven && entry->written_phase == HF_MANIFEST_PROBATION;
            if (hf_manifest_machine_rests(entry->r.phase) && !on_trial)
                (void)drifts(entry);
            return;
        }
        entry->save_wanted = false;
        advance_save(entry);
        return;
    }
    if (!hf_manifest_machine_rests(entry->r.phase)) {
        consider_unfinished(entry);
        return;
    }
    if (wants_cleanup(entry)) {
        if (entry->cleanup == ENTRY_CLEANUP_DUE)
            entry->cleanup = ENTRY_CLEANUP_FAILED; /* until it has ended well */
        commit_clean(entry);
        return;
    }
    if (drifts(entry) || target_of(entry, &entry->r.good)->check_again(entry))
        return;
    if (entry->wanted != NULL)
        consider_resting(entry);
    else if (entry->engine->set_once && !entry->in_policy)
        removal_consider(entry);
}
