/* SPDX-License-Identifier: Apache-2.0 */
/* The action `roll back`: the files of the good set again, and those of somebody else that the newest set had replaced;
 * then the unit once more. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "manifests/content/secret.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/files/before.h"
#include "manifests/targets/restore.h"
#include "manifests/unit_call.h"

static void rolled_back(struct entry *entry, const char *more)
{
    char text[HF_RECORD_MESSAGE];
    int room = (int)sizeof(text) - 3 - (int)strlen(more);

    assert(entry->r.phase == HF_MANIFEST_ROLLING_BACK && entry->attempt == NULL);
    entry->failures.unreadable_rollbacks = entry->failures.stuck_rollbacks = 0;
    /* The reason of the failure stays. */
    (void)snprintf(text, sizeof(text), "%.*s%s%s", room, entry->r.message, more[0] != '\0' ? "; " : "", more);
    advance_event(entry, HF_MANIFEST_EV_RESTORED, entry->r.reason, text);
}

/* ---- unit -------------------------------------------------------------------------------------------------------- */

static void restart_ended(struct entry *entry, int r)
{
    const char *more = r < 0 ? "restarting the unit with the old files failed" : "";

    if (content_store_lacks(entry))
        more = "the agent restarted, so the earlier files are no longer known";
    rolled_back(entry, more);
}

static void restarted(void *arg, int r, HF_UNUSED const struct hf_err *err)
{
    struct entry *entry = arg;

    assert(entry->r.phase == HF_MANIFEST_ROLLING_BACK);
    entry->unit.call = NULL;
    entry->busy = false;
    if (r == 0 && strcmp(unit_call_unit(&entry->r.good), unit_call_unit(&entry->r.next)) == 0)
        entry->r.restart_due = false;
    restart_ended(entry, r);
}

/* The unit of the set that failed: it has taken up what the rollback has just taken away. */
static void restart(struct entry *entry)
{
    int r = unit_call_start(entry, &entry->r.next, restarted, NULL);

    if (r != 0)
        restart_ended(entry, r);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* Adds the files of somebody else to the wanted ones, unless the good set has them, too. */
static int add_before(struct attempt *attempt, const struct hf_bundle *before, const struct hf_inventory *list,
                      struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < before->n; i++) {
        char path[HF_FILES_MAX_PATH];
        (void)snprintf(path, sizeof(path), "/%s", before->files[i].path);
        const struct hf_inventory_item *item = hf_inventory_find(list, path);
        if (item != NULL && hf_files_want_find(&attempt->want, path) == NULL)
            r = hf_files_want_add_at(&attempt->want, item, before->files[i].bytes, err);
        if (r == 0)
            r = hf_files_want_sort(&attempt->want, err);
    }
    return r;
}

/* Copies the entry's inventory without the files in `list`. */
static int copy_without(const struct entry *entry, const struct hf_inventory *list, struct hf_inventory *ret_kept)
{
    int r = 0;

    *ret_kept = (struct hf_inventory){.pending = entry->inventory.pending};
    for (size_t i = 0; r == 0 && i < entry->inventory.n; i++)
        if (hf_inventory_find(list, entry->inventory.items[i].path) == NULL)
            r = hf_inventory_put(ret_kept, &entry->inventory.items[i]);
    return r;
}

static int keep(struct entry *entry, struct hf_inventory *kept, struct hf_err *err)
{
    return hf_inventory_replace(entry->engine->p.env.world.fs, entry->folder, "inventory", &entry->inventory, kept,
                                err);
}

int restore_disown(struct entry *entry, const struct hf_inventory *list, struct hf_err *err)
{
    _cleanup_(hf_inventory_done) struct hf_inventory kept = {.items = NULL};

    if (list->n == 0)
        return 0;
    int r = copy_without(entry, list, &kept);
    return r == 0 ? keep(entry, &kept, err) : r;
}

/* Finds the files of somebody else whose kept content is lost. They stay as the failed set has left them, because the
 * alternative is no file at all. `list` has the paths of all files that may be somebody else's. */
static int find_lost(const struct entry *entry, const struct hf_bundle *before, const struct hf_inventory *list,
                     struct hf_inventory *ret_lost)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < list->n; i++) {
        const char *path = list->items[i].path;
        if (!list->items[i].folder && hf_bundle_find(before, path + 1) == NULL &&
            hf_files_want_find(&entry->attempt->want, path) == NULL)
            r = hf_inventory_put(ret_lost, &list->items[i]);
    }
    if (r < 0 || ret_lost->n == 0)
        return r;
    if (json_is_true(hf_json_at(entry->r.next.entry, "force"))) /* otherwise the files are as their owners wrote them */
        hf_log(entry->engine->p.env.world.log, HF_LOG_ERROR, "manifest.before_lost", HF_S("entry", entry->name),
               HF_S("first", ret_lost->items[0].path), HF_D("files", (int64_t)ret_lost->n));
    return 0;
}

static int stage(struct hf_files_place *place, struct hf_manifest_outcome *outcome)
{
    int r = hf_files_place_compare(place, outcome);

    return r == 0 ? hf_files_place_stage(place, outcome) : r;
}

/* Stages the files of the attempt. Those in `lost` count as somebody else's, on disk only when all is staged: a later
 * rollback may read the kept contents again. */
static int stage_without(struct entry *entry, const struct hf_inventory *lost, struct hf_manifest_outcome *outcome)
{
    _cleanup_(hf_inventory_done) struct hf_inventory ours = {.items = NULL};
    struct hf_files_place *place = &entry->attempt->place;
    struct hf_err err = HF_ERR_INIT;
    int r = copy_without(entry, lost, &ours);

    if (r < 0)
        return hf_manifest_outcome_fail(outcome, HF_MANIFEST_REASON_WRITE_FAILED, r, &err);
    place->inventory = &ours;
    r = stage(place, outcome);
    place->inventory = &entry->inventory;
    if (r == 0 && keep(entry, &ours, &err) < 0)
        r = hf_manifest_outcome_fail(outcome, hf_manifest_outcome_reason(-err.code), -err.code, &err);
    return r;
}

/* The files that a rollback puts back beside those of the good set. */
struct kept {
    const struct hf_bundle *before;
    const struct hf_inventory *list;    /* the attributes of these files */
    const struct hf_inventory *foreign; /* those of somebody else */
    bool keep_rest;                     /* remove nothing */
    bool unknown;                       /* the bundle and the list are lost: any file may be somebody else's */
};

static int place(struct entry *entry, const struct kept *kept, struct hf_manifest_outcome *outcome)
{
    _cleanup_(hf_inventory_done) struct hf_inventory lost = {.items = NULL};
    struct attempt *attempt = entry->attempt;
    struct hf_err err = HF_ERR_INIT;
    /* The files of a secret are all in `before`, if they are anywhere. */
    bool whole = entry->r.good.key[0] != '\0' && (!attempt->place.secret || content_store_kept(entry) == NULL);
    int r = whole ? make_want(entry, attempt, outcome) : 0;

    if (r < 0)
        return r;
    if (!whole) /* of the good set, if there is one: the files of a Secret are staged in memory, too */
        (void)snprintf(attempt->want.root, sizeof(attempt->want.root), "%s", attempt->set.root);
    r = add_before(attempt, kept->before, kept->list, &err);
    if (r == 0)
        r = find_lost(entry, kept->before, kept->unknown ? &entry->inventory : kept->list, &lost);
    if (r < 0)
        return hf_manifest_outcome_fail(outcome, HF_MANIFEST_REASON_WRITE_FAILED, r, &err);
    attempt->place.order.force = attempt->place.order.prune_all = true;
    attempt->place.order.prune = !kept->keep_rest && !entry->r.good_unknown;
    attempt->place.order.keep_own = entry->r.good_unknown;
    attempt->place.bounds.allows = NULL;                           /* it was there before */
    assert(!attempt->place.order.prune || !entry->r.good_unknown); /* nothing goes that may be of the good set */
    r = lost.n > 0 ? stage_without(entry, &lost, outcome) : stage(&attempt->place, outcome);
    if (r == 0)
        r = hf_files_place_swap(&attempt->place, outcome);
    if (r == 0 && restore_disown(entry, kept->foreign, &err) < 0)
        r = hf_manifest_outcome_fail(outcome, hf_manifest_outcome_reason(-err.code), -err.code, &err);
    if (r == 0 && (entry->r.good_unknown || kept->unknown)) /* the set stays unproven, so no cleanup removes them */
        (void)!hf_files_before_forget(entry->engine->p.env.world.fs, entry->folder, NULL);
    return r;
}

struct rollback {
    struct job job;
    bool doubtful; /* it is unknown which files in place belong to somebody else */
};

/* Loads the backups of somebody else's files. */
static int load_before(struct job *job, struct hf_bundle **ret_bundle, struct hf_inventory *ret_list, bool *ret_unknown)
{
    const struct entry *entry = job->entry;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_files_before_load(entry->engine->p.env.world.fs, entry->folder,
                                 entry->failures.unreadable_rollbacks >= MANIFEST_MAX_UNREADABLE, ret_bundle, ret_list,
                                 ret_unknown, &err);

    job->unreadable = r < 0 && r != -ENOMEM && r != -ENOSPC && r != -EDQUOT && r != -EROFS;
    return r < 0 ? hf_manifest_outcome_fail(&job->outcome, hf_manifest_outcome_reason(r), r, &err) : 0;
}

/* An earlier process had the contents of somebody else's files in memory. Their paths are on disk, so the files stay as
 * the newest set has left them: as they were, unless `force` has replaced them. */
static int restore_copy(struct job *job)
{
    struct entry *entry = job->entry;
    _cleanup_(hf_bundle_freep) struct hf_bundle *before = NULL;
    _cleanup_(hf_inventory_done) struct hf_inventory list = {.items = NULL};
    const struct hf_inventory empty = {.items = NULL};
    struct kept kept = {.list = &list, .foreign = &list};
    int r = load_before(job, &before, &list, &kept.unknown);

    if (r < 0)
        return r;
    kept.before = before;
    hf_container_of(job, struct rollback, job)->doubtful = kept.unknown;
    if (content_store_goes_forward(entry)) {
        kept.keep_rest = !hf_json_bool_or(entry->r.next.entry, "prune", false);
        kept.foreign = &empty; /* the newest set keeps what it has taken over */
    }
    return place(entry, &kept, &job->outcome);
}

static int run_rollback(struct job *job)
{
    struct entry *entry = job->entry;
    _cleanup_(hf_bundle_freep) struct hf_bundle *before = NULL;
    _cleanup_(hf_inventory_done) struct hf_inventory list = {.items = NULL};
    bool unknown;
    int r = 0;

    if (entry->attempt->place.secret) {
        const struct secret_kept *kept = content_store_kept(entry);
        if (kept != NULL)
            r = place(entry, &(struct kept){kept->bundle, &kept->list, &kept->foreign, false, false}, &job->outcome);
        else if (content_store_has_good(entry) || content_store_goes_forward(entry))
            r = restore_copy(job);
        hf_files_place_done(&entry->attempt->place);
        hf_files_want_done(&entry->attempt->want);
        return r;
    }
    r = load_before(job, &before, &list, &unknown);
    if (r < 0)
        return r;
    hf_container_of(job, struct rollback, job)->doubtful = unknown;
    r = place(entry, &(struct kept){before, &list, &list, false, unknown}, &job->outcome);
    job->unreadable = entry->r.good.key[0] != '\0' && make_is_unreadable(entry, entry->attempt, r);
    hf_files_place_done(&entry->attempt->place); /* before the contents that it borrows go */
    hf_files_want_done(&entry->attempt->want);
    return r;
}

/* Tries again later, unless another try would fail, too, and keep new content out for ever. The set stays unproven. */
static void not_placed(struct entry *entry, const struct job *job)
{
    const struct hf_manifest_outcome *outcome = &job->outcome;
    bool unreadable = job->unreadable && entry->failures.unreadable_rollbacks >= MANIFEST_MAX_UNREADABLE;
    char text[200];

    entry->failures.unreadable_rollbacks += job->unreadable;
    entry->failures.stuck_rollbacks =
        job->unreadable || hf_manifest_outcome_may_pass(job->r) ? 0 : entry->failures.stuck_rollbacks + 1;
    hf_log(entry->engine->p.env.world.log, HF_LOG_ERROR, "manifest.rollback", HF_S("entry", entry->name),
           HF_S("message", outcome->message));
    if (unreadable || outcome->reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE) {
        rolled_back(entry, "the content to go back to is lost; the files stay");
    } else if (entry->failures.stuck_rollbacks > MANIFEST_MAX_STUCK) {
        (void)snprintf(text, sizeof(text), "the rollback is not complete: %s", HF_CUT(160, outcome->message));
        rolled_back(entry, text);
    } else {
        advance_back_off(entry);
        advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_NONE, NULL);
        advance_note(entry, outcome->reason, outcome->message);
    }
}

static void placed(struct entry *entry, struct job *job)
{
    assert(entry->r.phase == HF_MANIFEST_ROLLING_BACK && entry->r.unproven);
    make_attempt_free(hf_steal(entry->attempt));
    if (job->r < 0) {
        not_placed(entry, job);
        return;
    }
    entry->drift.watch_stale = true;
    bool nothing = content_store_lacks(entry), is_idle = nothing && job->outcome.changed + job->outcome.pruned == 0;
    if (!nothing)
        entry->r.unproven = /* files of the failed set may be in place */
            entry->r.good_unknown || hf_container_of(job, struct rollback, job)->doubtful;
    if (is_idle && entry->r.starts > HF_RECORD_MAX_STARTS) /* the unit may be the cause of the starts */
        restart_ended(entry, 0);
    else
        restart(entry);
}

void restore_start(struct entry *entry)
{
    const struct hf_manifest_set *set = entry->r.good.key[0] != '\0' ? &entry->r.good : &entry->r.next;

    if (content_store_returns(entry))
        return;
    if (set == &entry->r.next && entry->r.good_unknown && content_store_kept(entry) == NULL &&
        !hf_files_before_exist(entry->engine->p.env.world.fs, entry->folder)) {
        rolled_back(entry, "the record of what was good is lost; the files stay");
        return;
    }
    if (content_store_stalls(entry))
        return; /* entry_consider() goes on when a content has come */
    if (content_store_goes_forward(entry))
        set = &entry->r.next;
    struct rollback *rollback = task_new_operation(sizeof(*rollback), entry, run_rollback, placed, NULL);

    entry->attempt = make_attempt(entry, set);
    if (rollback != NULL && entry->attempt != NULL) {
        task_submit(&rollback->job);
        return;
    }
    task_discard(rollback);
    make_attempt_free(hf_steal(entry->attempt));
    advance_back_off(entry);
    advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_NONE, NULL);
}
