/* SPDX-License-Identifier: Apache-2.0 */
/* The action `place` of the targets Files and StaticPods: compare and stage, validate, swap. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "base/format.h"
#include "manifests/content/content.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/files/before.h"
#include "manifests/rules/gate.h"
#include "manifests/rules/plan.h"
#include "manifests/targets/apply.h"
#include "manifests/targets/target.h"

static void end_attempt(struct entry *entry)
{
    make_attempt_free(hf_steal(entry->attempt));
}

/* True if the swap of the newest set was cut short, so the set has passed `validate`. In another phase the inventory is
 * pending because of an earlier set, or of a repair. */
static bool is_resumed_swap(const struct entry *entry)
{
    return entry->inventory.pending && entry->r.phase == HF_MANIFEST_APPLYING;
}

/* True if files of two sets may be in place, because the swap of a set was cut short. A cut repair leaves files of the
 * good set alone, and drift.c completes it. */
static bool is_mixture(const struct entry *entry)
{
    return entry->inventory.pending && (entry->r.phase == HF_MANIFEST_APPLYING || entry->r.unproven);
}

/* True if files of the newest set may be in place: its swap was cut short, or the crash came after the swap. */
static bool may_be_in_place(const struct entry *entry)
{
    const struct attempt *attempt = entry->attempt;

    if (is_mixture(entry) || !entry->resumed)
        return is_mixture(entry);
    return entry->r.unproven || attempt == NULL || attempt->want.n == 0 || hf_files_place_is_recorded(&attempt->place);
}

/* A command of `validate` that did not start has judged nothing. A lack of processes or memory may pass at any time; a
 * program that is missing is a person's to mend, and each attempt writes the files of the set once more. */
static enum hf_manifest_retry retry_of(const struct hf_manifest_outcome *outcome)
{
    if (outcome->r == -EAGAIN)
        return HF_MANIFEST_RETRY_BACK_OFF;
    if (outcome->reason == HF_MANIFEST_REASON_VALIDATE_FAILED && outcome->r == -ENOENT)
        return HF_MANIFEST_RETRY_INTERVAL;
    return hf_manifest_gate_retry(outcome->reason);
}

/* A failure after the first change of the target, by this attempt or an earlier one. */
static void not_swapped(struct entry *entry, enum hf_manifest_reason reason, int r, const char *message)
{
    char text[HF_RECORD_MESSAGE];

    entry->failures.stuck_attempts = hf_manifest_outcome_may_pass(r) ? 0 : entry->failures.stuck_attempts + 1;
    if (entry->failures.stuck_attempts <= MANIFEST_MAX_STUCK) {
        advance_back_off(entry);
        advance_event(entry, HF_MANIFEST_EV_FAILED, reason, message);
        return;
    }
    (void)snprintf(text, sizeof(text), "failed %u times: %s", entry->failures.stuck_attempts, HF_CUT(340, message));
    entry->failures.stuck_attempts = 0;
    advance_event(entry, HF_MANIFEST_EV_UNHEALTHY, reason, text);
}

/* A failure of an attempt before its first change of the target. */
static void not_placed(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    enum hf_manifest_retry retry = retry_of(outcome);
    /* until the next interval, or the annotation */
    bool waits = retry == HF_MANIFEST_RETRY_INTERVAL && (outcome->reason == HF_MANIFEST_REASON_PRUNE_LIMIT ||
                                                         outcome->reason == HF_MANIFEST_REASON_VALIDATE_FAILED);
    bool begun = entry->r.phase == HF_MANIFEST_APPLYING; /* by an earlier attempt, which a crash has ended */
    enum hf_manifest_event failed = begun ? HF_MANIFEST_EV_FAILED : HF_MANIFEST_EV_POSTPONED;
    bool in_place = may_be_in_place(entry), mixture = is_mixture(entry);
    char text[HF_RECORD_MESSAGE];

    assert(begun || entry->r.phase == HF_MANIFEST_WAITING || entry->r.phase == HF_MANIFEST_REFUSED);
    const char *message = advance_text(entry, &entry->r.next, outcome->reason, outcome->message, text);

    end_attempt(entry);
    entry->resumed = entry->resumed && in_place;
    entry->r.unproven = entry->r.unproven || entry->resumed;
    if (outcome->reason == HF_MANIFEST_REASON_SECRET_ABSENT) {
        advance_event(entry, in_place || entry->r.unproven ? failed : HF_MANIFEST_EV_POSTPONED, outcome->reason,
                      message);
    } else if (outcome->reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE) { /* our copy of the content is lost */
        content_lost(entry, &entry->r.next);
        advance_back_off(entry);
        advance_event(entry, HF_MANIFEST_EV_POSTPONED, outcome->reason, message);
    } else if (mixture && outcome->reason == HF_MANIFEST_REASON_VALIDATE_FAILED && retry == HF_MANIFEST_RETRY_NEVER) {
        entry->invalid = true; /* not Refused, because the next set ends the mixture */
        advance_event(entry, HF_MANIFEST_EV_POSTPONED, outcome->reason, message);
    } else if (begun && ((mixture && !waits) || (in_place && retry == HF_MANIFEST_RETRY_BACK_OFF))) {
        not_swapped(entry, outcome->reason, outcome->r, message);
    } else if (retry == HF_MANIFEST_RETRY_BACK_OFF || waits || mixture) {
        advance_back_off(entry);
        if (waits)
            entry->due_ns = HF_NEVER;
        advance_event(entry, HF_MANIFEST_EV_POSTPONED, outcome->reason, message);
    } else {
        advance_event(entry, HF_MANIFEST_EV_REFUSED, outcome->reason, message);
    }
}

/* Returns true if the swap writes or removes a file, or if the set wants a file that the entry has not checked yet. */
static bool changes_anything(const struct hf_files_place *place)
{
    return place->found.n_write + place->found.n_prune + place->found.n_unproven + place->found.n_adopt > 0;
}

/* ---- swap -------------------------------------------------------------------------------------------------------- */

static int run_swap(struct job *job)
{
    return hf_files_place_swap(&job->entry->attempt->place, &job->outcome);
}

static bool has_probation(const struct entry *entry)
{
    const struct hf_manifest *manifest = entry->attempt->entry;

    return target_of(entry, &entry->r.next)->needs_probe(entry) || manifest->restart_unit != NULL ||
           manifest->reload_unit != NULL || manifest->n_checks > 0;
}

static void swapped(struct entry *entry, struct job *job)
{
    bool probation = has_probation(entry);
    bool changed = changes_anything(&entry->attempt->place) || entry->r.unproven || entry->resumed;
    char text[HF_RECORD_MESSAGE];

    assert(entry->r.phase == HF_MANIFEST_APPLYING && strcmp(entry->attempt->set.key, entry->r.next.key) == 0);
    if (job->r < 0) {
        /* The swap marks the inventory as pending before its first change, unless the inventory names this set. */
        entry->r.unproven =
            entry->r.unproven || entry->inventory.pending || hf_files_place_is_recorded(&entry->attempt->place);
        end_attempt(entry);
        not_swapped(entry, job->outcome.reason, job->r, job->outcome.message);
        return;
    }
    entry->failures.stuck_attempts = 0;
    (void)snprintf(text, sizeof(text), "%u %s in place, %u written, %u removed%s", job->outcome.applied,
                   hf_noun(job->outcome.applied, "file", "files"), job->outcome.changed, job->outcome.pruned,
                   entry->attempt->on_swap ? "; this node has swap, which may write the secret to a disk" : "");
    end_attempt(entry);
    entry->drift.watch_stale = true;
    if (changed && probation)
        advance_event(entry, HF_MANIFEST_EV_PLACED, HF_MANIFEST_REASON_NONE, text);
    else
        advance_event(entry, HF_MANIFEST_EV_SAME, HF_MANIFEST_REASON_APPLIED, text);
}

static void swap(struct entry *entry)
{
    assert(entry->r.phase == HF_MANIFEST_APPLYING && entry->machine.due != HF_MANIFEST_ACT_PLACE); /* durably */
    struct job *job = task_new(entry, run_swap, swapped);

    if (job != NULL) {
        task_submit(job);
        return;
    }
    end_attempt(entry);
    advance_back_off(entry);
    advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
}

/* All is prepared. The record has to say so before the first change; the action `place` then ends in swap(). */
static void go(struct entry *entry)
{
    assert(!entry->busy && strcmp(entry->attempt->set.key, entry->r.next.key) == 0);
    if (entry->r.phase == HF_MANIFEST_APPLYING) {
        hf_manifest_record_doubt_pods(&entry->r);
        swap(entry);
    } else if (!target_of(entry, &entry->r.next)->prepares(entry)) {
        advance_event(entry, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE, NULL);
    }
}

/* ---- validate ---------------------------------------------------------------------------------------------------- */

static int run_clean(struct job *job)
{
    struct attempt *attempt = job->entry->attempt;

    return hf_files_place_clean(&attempt->place, attempt->want.root, &job->outcome);
}

static void cleaned(struct entry *entry, HF_UNUSED struct job *job)
{
    struct hf_manifest_outcome outcome = {.reason = HF_MANIFEST_REASON_VALIDATE_FAILED};

    (void)snprintf(outcome.message, sizeof(outcome.message), "%s", entry->machine.wait.message);
    outcome.r = entry->attempt->not_started;
    not_placed(entry, &outcome);
}

static void invalid(struct entry *entry, const char *text)
{
    struct job *job = task_new(entry, run_clean, cleaned);

    advance_note(entry, HF_MANIFEST_REASON_VALIDATE_FAILED, text);
    if (job != NULL)
        task_submit(job);
    else
        cleaned(entry, NULL);
}

static void validated(void *arg, int r, int exit_code, struct hf_view output)
{
    struct entry *entry = arg;
    const char *program = entry->attempt->entry->validate_command[0];
    struct hf_view said = hf_view_trim(output);
    char text[HF_RECORD_MESSAGE];

    entry->proc_call = NULL;
    entry->busy = false;
    if (r == 0 && exit_code == 0) {
        go(entry);
        return;
    }
    if (entry->attempt->place.secret) /* the program may have printed what it read */
        said.n = 0;
    if (r < 0)
        (void)snprintf(text, sizeof(text), "'%.100s' did not run to its end: %s", program, strerror(-r));
    else
        (void)snprintf(text, sizeof(text), "'%.100s' ended with %d: %.*s", program, exit_code,
                       (int)HF_MIN(said.n, 200u), said.p != NULL ? said.p : "");
    invalid(entry, text);
}

/* True if the command did not start because the node lacked something that it may have again at any time. */
static bool may_start_soon(int r)
{
    return r == -EAGAIN || r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EBUSY || r == -ETXTBSY;
}

static bool needs_validation(const struct entry *entry)
{
    return entry->attempt->entry->validate_command[0] != NULL && !is_resumed_swap(entry) &&
           changes_anything(&entry->attempt->place);
}

static void validate(struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    struct attempt *attempt = entry->attempt;
    struct hf_err err = HF_ERR_INIT;

    for (size_t i = 0; i < HF_MAX_ARGV && attempt->entry->validate_command[i] != NULL; i++)
        attempt->argv[i] = strcmp(attempt->entry->validate_command[i], "{}") == 0 ? attempt->place.staged.candidate
                                                                                  : attempt->entry->validate_command[i];
    struct hf_proc_request request = {
        .argv = attempt->argv, .timeout_ns = attempt->entry->validate_timeout_ns, .done = validated, .arg = entry};
    entry->busy = true;
    int r = env->proc->spawn(env->proc->ctx, &request, &entry->proc_call, &err);
    if (r == 0)
        return;
    entry->busy = false;
    attempt->not_started = may_start_soon(r) ? -EAGAIN : -ENOENT;
    invalid(entry, HF_ERR_TEXT(&err));
}

/* ---- compare, stage ---------------------------------------------------------------------------------------------- */

/* Backups of an earlier set that a cleanup could not remove: their owners may have changed the files since, so that no
 * rollback may put them back. */
static int forget_before(struct job *job)
{
    const struct entry *entry = job->entry;
    const struct hf_fs_ops *fs = entry->engine->p.env.world.fs;

    if (entry->r.unproven || entry->resumed || !hf_files_before_exist(fs, entry->folder))
        return 0;
    int r = hf_files_before_forget(fs, entry->folder, &job->err);
    if (r == 0 || r == -EISDIR) /* a folder is no list */
        return 0;
    return hf_manifest_outcome_fail(&job->outcome, hf_manifest_outcome_reason(r), r, &job->err);
}

static int run_stage(struct job *job)
{
    struct attempt *attempt = job->entry->attempt;
    struct hf_files_place *place = &attempt->place;
    int r = forget_before(job);

    if (r == 0)
        r = make_want(job->entry, attempt, &job->outcome);
    if (r == 0)
        r = hf_files_place_compare(place, &job->outcome);
    if (r == 0)
        place->order.stage_all =
            attempt->entry->validate_command[0] != NULL && !is_resumed_swap(job->entry) && changes_anything(place);
    if (r == 0)
        r = hf_files_place_stage(place, &job->outcome);
    if (r == 0)
        r = content_store_keep(job->entry, &attempt->set, place, &job->outcome);
    job->unreadable = make_is_unreadable(job->entry, attempt, r);
    attempt->on_swap = r == 0 && content_store_leaks(job->entry, &attempt->set);
    if (r < 0 && place->staged.stage_fd >= 0) { /* a full disk gets its bytes back */
        struct hf_manifest_outcome ignored = {.r = 0};
        if (hf_files_place_clean(place, attempt->want.root, &ignored) < 0)
            return r;
    }
    return r;
}

static void staged(struct entry *entry, struct job *job)
{
    assert(strcmp(entry->attempt->set.key, entry->r.next.key) == 0);
    content_count_unreadable(entry, job);
    if (job->r < 0) {
        not_placed(entry, &job->outcome);
        return;
    }
    (void)snprintf(entry->r.next.root, sizeof(entry->r.next.root), "%s", entry->attempt->want.root);
    if (needs_validation(entry))
        validate(entry);
    else
        go(entry);
}

static uint64_t reserve(void *arg, uint64_t disk_bytes)
{
    const struct attempt *attempt = arg;

    return hf_config_disk_reserve_bytes(attempt->config, disk_bytes);
}

/* True if files that only signed entries may write may be in place. An unsigned set whose swap has begun was allowed to
 * change all of them, and its swap has to come to its end. */
static bool may_have_signed_files(const struct entry *entry)
{
    const struct hf_manifest_record *r = &entry->r;

    return r->signed_in_place || r->good_unknown || (r->good.signed_ && !entry->inventory.pending);
}

void apply_start(struct entry *entry)
{
    if (entry->attempt != NULL) { /* prepared: the record says Applying now */
        swap(entry);
        return;
    }
    struct attempt *attempt = make_attempt(entry, &entry->r.next);
    struct job *job = task_new(entry, run_stage, staged);
    struct hf_manifest_outcome outcome = {.r = -ENOMEM, .reason = HF_MANIFEST_REASON_WRITE_FAILED};

    entry->attempt = attempt;
    if (attempt == NULL || job == NULL) {
        task_discard(job);
        (void)snprintf(outcome.message, sizeof(outcome.message), "out of memory");
        not_placed(entry, &outcome);
        return;
    }
    attempt->set.root[0] = '\0';
    attempt->place.order.force = attempt->entry->force;
    attempt->place.order.prune = attempt->entry->prune;
    attempt->place.order.prune_all =
        hf_plan_prune_is_allowed(entry->engine->allow_prune, entry->name, attempt->set.digest);
    if (!attempt->set.signed_ && may_have_signed_files(entry))
        attempt->place.bounds.allows_placed = make_allows_placed;
    if (!attempt->place.secret) /* the reserve is for disks */
        attempt->place.bounds.reserve = reserve;
    task_submit(job);
}
