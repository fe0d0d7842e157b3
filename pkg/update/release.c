/* SPDX-License-Identifier: Apache-2.0 */
/* One release: read from disk, considered between its steps, started again after a restart of the agent.
 *
 * release_consider() is the only place that decides what comes next, in this order: a step in progress (stopped if
 * the gate has closed or another release is wanted), a journal that is still unread, the restart that a rollback of
 * the agent owes, a journal that is still unwritten, a commit or cleanup to repeat, the first event after a start,
 * and at last what the phase asks for. It returns true if the release needs the turn.
 *
 * A start in Probation counts: the agent may be dying of the new version, and after HF_UPDATE_MAX_STARTS starts it
 * rolls back. A journal that cannot be read is not treated as missing, because an update may be in the middle: it is
 * read again, and the release does nothing else until it is known.
 *
 * A file calls only its own and later rows, but transition.c the actions, through a table of release.c:
 *  engine.c; release.c
 *  actions: prepare.c replace.c; probation.c rollback.c; finish.c drift.c order.c
 *  service.c hooks.c retain.c; boots.c self.c self_trial.c; wanted.c method.c review.c
 *  transition.c; step.c retry.c counts.c */
#include "update/release.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/state/sealed_file.h"
#include "os/dir.h"
#include "os/file.h"

/* A journal that cannot be read is read again after the first time, and counts as damaged after the second: by then the
 * error is one of the medium, and an update may be in the middle. */
static const uint64_t read_again_ns = 10 * HF_NS_PER_S, unread_max_ns = 3600 * HF_NS_PER_S;

static const struct release_actions actions = {.start = {
                                                   [HF_ACT_FETCH] = replace_fetch,
                                                   [HF_ACT_PATCH] = replace_patch,
                                                   [HF_ACT_SWAP] = replace_swap,
                                                   [HF_ACT_PROBE] = probation_start,
                                                   [HF_ACT_COMMIT] = finish_commit,
                                                   [HF_ACT_ROLLBACK] = rollback_start,
                                                   [HF_ACT_CLEAN] = finish_clean,
                                               }};

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct release *release_new(struct hf_update_engine *engine, const char *name)
{
    struct release *release = calloc(1, sizeof(*release));

    if (release == NULL)
        return NULL;
    release->engine = engine;
    release->actions = &actions;
    transition_init(release);
    release->folder = hf_asprintf("%s/%s", engine->folder, name);
    (void)snprintf(release->j.name, sizeof(release->j.name), "%s", name);
    release->record.shown = release->j;
    if (release->folder != NULL)
        return release;
    free(release);
    return NULL;
}

void release_free(struct release *release)
{
    if (release == NULL)
        return;
    watches_drop(release);
    wanted_done(release);
    probation_done(release);
    hf_steer_machine_done(&release->machine);
    free(release->folder);
    free(release);
}

/* A process that was killed may have renamed the journal without the sync of the folder. A power cut would then restore
 * the journal before it, whatever this process does by the one that it has read. The content needs no sync: it was
 * synced before the rename. On a read-only file system nothing is left to sync. */
static bool is_name_durable(const struct release *release)
{
    struct hf_err err = HF_ERR_INIT;
    int r = hf_dir_sync(release->engine->p.world.fs, release->folder, &err);

    if (r == 0 || r == -EROFS)
        return true;
    hf_log_err(release->engine->p.world.log, HF_LOG_ERROR, "update.journal", "release", release->j.name, &err);
    return false;
}

static uint64_t now_ns(const struct release *release)
{
    return hf_mono_ns(release->engine->p.world.clock);
}

/* Takes what a read of the journal has brought: 0, -EBADMSG with the new name of the file in *err, or no file. */
static void take_journal(struct release *release, int r, json_t *kept, const struct hf_err *err)
{
    struct hf_journal *j = &release->j;

    if (r == -EBADMSG) {
        hf_log_err(release->engine->p.world.log, HF_LOG_ERROR, "update.journal", "release", j->name, err);
        j->reason = HF_R_JournalDamaged;
        (void)snprintf(j->message, sizeof(j->message), "%.200s", err->where);
    }
    release->stage = RELEASE_LOADED;
    release->record.unread_ns = release->retry.due_ns = 0;
    release->drift.look_wanted = j->good_digest[0] != '\0'; /* nobody watched while no agent ran */
    transition_no_trouble(release);
    release->record.shown = *j;
    self_tell(release);
    transition_note_written(release);
    wanted_restore(release, kept);
    review_load_floor(release);
    /* If this start changes nothing, transition.c finds the same text on disk and does not write. */
    if (r == 0 && (!is_name_durable(release) || hf_journal_format(j, release->wanted.kept, &release->machine.text) < 0))
        hf_buf_clear(&release->machine.text);
}

static void cannot_read(struct release *release, int r, const struct hf_err *err)
{
    struct release_record *record = &release->record;

    if (record->unread_ns == 0) {
        hf_log_err(release->engine->p.world.log, HF_LOG_ERROR, "update.journal", "release", release->j.name, err);
        record->unread_ns = HF_MAX(now_ns(release), 1);
    }
    release->stage = RELEASE_UNREAD;
    record->shown.phase = HF_PHASE_WAITING; /* Idle would say that nothing is installed */
    release->retry.due_ns = now_ns(release) + read_again_ns;
    transition_trouble(release, r, err);
}

void release_load(struct release *release)
{
    struct hf_journal journal = {.phase = HF_PHASE_IDLE};
    struct hf_err err = HF_ERR_INIT;
    json_t *kept = NULL;
    int r = hf_journal_load(release->engine->p.world.fs, release->folder, &journal, &kept, &err);

    if (r < 0 && r != -EBADMSG && r != -ENOENT && r != -ENOTDIR) {
        cannot_read(release, r, &err);
        return;
    }
    if (r == 0 && strcmp(journal.name, release->j.name) == 0) /* else somebody copied the folder of another release */
        release->j = journal;
    take_journal(release, r, kept, &err);
}

/* Reads the file only, which may take long on a bad disk; release_load() then finds it in the cache. */
static int run_read(struct step_job *step)
{
    const struct hf_fs_ops *fs = step->release->engine->p.world.fs;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/journal", step->release->folder);
    int r = hf_file_read(fs, path, &text, &step->failure.err);
    if (r == 0 || r == -ENOENT || r == -ENOTDIR || hf_file_is_damage(r))
        return 0;
    if (!step->give_up)
        return r;
    r = hf_sealed_file_set_aside(fs, step->release->folder, "journal", &step->failure.err);
    step->lost = r == -EBADMSG;
    return r;
}

static void was_read(struct release *release, struct step_job *step)
{
    if (step->lost)
        take_journal(release, -EBADMSG, NULL, &step->failure.err);
    else if (step->job.r < 0)
        cannot_read(release, step->job.r, &step->failure.err);
    else
        release_load(release);
    hf_steer_core_wake(&release->engine->core);
}

static void read_again(struct release *release)
{
    struct step_job *step = step_new(release, STEP_READ, run_read, was_read);

    release->retry.due_ns = now_ns(release) + read_again_ns;
    if (step == NULL)
        return;
    step->give_up = now_ns(release) - release->record.unread_ns >= unread_max_ns;
    step_submit(step);
}

/* ---- considering ------------------------------------------------------------------------------------------------- */

/* Raises an event if the journal does not name the wanted object, or the gate refuses it. True: an event was raised. */
static bool turn_away(struct release *release, enum hf_gate_verdict verdict, enum hf_reason reason, const char *message)
{
    if (!wanted_matches(release) || release->wanted.accepted == NULL)
        transition_event(release, HF_EV_DROPPED, HF_R_Queued, NULL);
    else if (verdict == HF_GATE_REFUSE)
        transition_event(release, HF_EV_REFUSED, reason, message);
    else if (verdict == HF_GATE_MISFIT)
        transition_event(release, HF_EV_MISFIT, reason, message);
    else
        return false;
    return true;
}

static bool consider_waiting(struct release *release)
{
    const char *message = NULL;
    enum hf_reason reason = HF_R_None;
    enum hf_gate_verdict verdict = wanted_matches(release) ? review_ask(release, &reason, &message) : HF_GATE_REFUSE;

    if (turn_away(release, verdict, reason, message))
        return false;
    if (verdict == HF_GATE_WAIT) {
        hf_steer_core_leave_turn(&release->engine->core, &release->machine);
        transition_wait(release, reason);
        drift_look_behind(release);
        return false;
    }
    if (now_ns(release) < release->retry.due_ns) {
        transition_wait(release, HF_R_None); /* the journal's own reason says why */
        drift_look_behind(release);
        return false;
    }
    if (release->engine->core.active != NULL && !update_engine_has_turn(release))
        transition_wait(release, HF_R_Queued);
    return true;
}

static void consider_resting(struct release *release)
{
    const struct release_drift *drift = &release->drift;
    enum hf_phase phase = release->j.phase;
    bool refused = phase == HF_PHASE_INCOMPATIBLE || phase == HF_PHASE_REJECTED;
    enum hf_reason reason = HF_R_None;
    const char *message = NULL;

    if (finish_overdue(release))
        return;
    if (release->wanted.object == NULL) {
        if (refused)
            transition_event(release, HF_EV_DROPPED, HF_R_None, NULL);
        return;
    }
    if (now_ns(release) < release->retry.due_ns)
        return;
    if (phase != HF_PHASE_IDLE && wanted_matches(release) && !release->wanted.ordered)
        wanted_repair_end(release); /* the repair has come to its end: back to what the caller wants */
    if (!wanted_matches(release) || phase == HF_PHASE_IDLE) {
        bool repairs = release->wanted.asked != NULL && !release->wanted.ordered;
        bool again = !repairs && drift_pauses_newer(release);
        wanted_accept(release, HF_EV_DESIRED, repairs ? HF_R_Drifted : again ? HF_R_RetryingLater : HF_R_Queued);
        if (again)
            release->retry.due_ns = drift->newer_due_ns;
        return;
    }
    if (phase == HF_PHASE_COMMITTED && drift->look_wanted && !wanted_held(release) &&
        now_ns(release) >= drift->look_due_ns)
        drift_look(release);
    if (phase == HF_PHASE_ROLLED_BACK)
        drift_look_behind(release);
    if (!refused)
        return;
    /* Keys and disks may have been added since: start again unless it would be refused for the same reason. */
    enum hf_gate_verdict verdict = review_ask(release, &reason, &message);
    if ((verdict != HF_GATE_REFUSE && verdict != HF_GATE_MISFIT) || reason != release->j.reason)
        wanted_accept(release, HF_EV_DESIRED, HF_R_Queued);
    else
        drift_look_behind(release);
}

void release_recheck_repair(struct release *release)
{
    struct release_wanted *wanted = &release->wanted;
    struct hf_edgeupdate *committed = wanted->object;
    const char *message;
    enum hf_reason reason;

    if (wanted->asked == NULL || wanted->ordered || drift_pauses_newer(release))
        return;
    wanted->object = wanted->asked;
    release->review.current = false;
    enum hf_gate_verdict verdict = review_ask(release, &reason, &message);
    wanted->object = committed;
    release->review.current = false;
    if (verdict == HF_GATE_GO)
        wanted_repair_end(release);
}

static void start(struct release *release)
{
    struct hf_journal *j = &release->j;

    release->stage = RELEASE_RUNNING;
    release->attempt.recheck = j->phase == HF_PHASE_VERIFIED || j->phase == HF_PHASE_SWAPPING;
    if (j->phase >= HF_PHASE_SWAPPING && !hf_phase_rests(j->phase) && release->engine->core.active == NULL)
        release->engine->core.active = &release->machine;
    retry_hold_back(release);
    if (j->phase == HF_PHASE_PROBATION && !boots_pending(release)) {
        j->starts += j->kind != HF_INSTALL_AGENT;
        if (service_is_agent(release))
            j->restarted = true;
        if (j->starts >= HF_UPDATE_MAX_STARTS) {
            j->changes = 0;
            transition_event(release, HF_EV_UNHEALTHY, HF_R_NoVerdict, NULL);
            return;
        }
    }
    transition_event(release, HF_EV_STARTED, HF_R_None, NULL);
}

static bool must_stop(struct release *release)
{
    enum step_kind kind = release->step.kind;
    const char *message;
    enum hf_reason reason;

    if (kind != STEP_INSPECT && kind != STEP_UNIT && kind != STEP_ASK && kind != STEP_FETCH && kind != STEP_PATCH)
        return false;
    return !wanted_matches(release) || review_ask(release, &reason, &message) != HF_GATE_GO;
}

static void redo(struct release *release)
{
    switch (release->retry.redo) {
    case REDO_NOTHING:
        break;
    case REDO_COMMIT:
        finish_commit(release);
        break;
    case REDO_CLEAN:
        finish_clean(release);
        break;
    }
}

static void start_action(struct release *release)
{
    static const enum hf_update_action of_phase[HF_PHASE_COUNT] = {[HF_PHASE_FETCHING] = HF_ACT_FETCH,
                                                                   [HF_PHASE_PATCHING] = HF_ACT_PATCH,
                                                                   [HF_PHASE_SWAPPING] = HF_ACT_SWAP,
                                                                   [HF_PHASE_PROBATION] = HF_ACT_PROBE};

    release->actions->start[of_phase[release->j.phase]](release);
}

bool release_consider(struct release *release)
{
    bool due = now_ns(release) >= release->retry.due_ns;

    if (step_is_in_progress(release)) {
        if (must_stop(release))
            step_stop(release);
        return false;
    }
    if (release->stage == RELEASE_UNREAD) {
        if (due)
            read_again(release);
        return false;
    }
    /* Before a cleanup that has to be tried again: until then the version that failed its checks runs. */
    if (release->attempt.owes_restart && !release->machine.unsaved) {
        if (due)
            rollback_restart_agent(release);
        return false;
    }
    if (hf_steer_machine_retry(&release->machine))
        return false;
    if (release->retry.redo != REDO_NOTHING) {
        if (due)
            redo(release);
        return false;
    }
    if (release->stage == RELEASE_LOADED) {
        start(release);
        return false;
    }
    if (order_consider(release) || probation_after_boot(release) || retain_consider(release))
        return false;
    switch (release->j.phase) {
    case HF_PHASE_WAITING:
    case HF_PHASE_VERIFIED:
        return consider_waiting(release);
    case HF_PHASE_FETCHING:
    case HF_PHASE_PATCHING:
    case HF_PHASE_SWAPPING:
    case HF_PHASE_PROBATION: /* systemd was unreachable for the restart, or no worker took the step */
        if (due)
            start_action(release);
        return false;
    case HF_PHASE_ROLLING_BACK: /* the try before failed */
        return due;
    default:
        consider_resting(release);
        return false;
    }
}

void release_take_turn(struct release *release)
{
    enum hf_phase phase = release->j.phase;

    release->last_turn = ++release->engine->turns;
    assert(release->engine->core.active == NULL || update_engine_has_turn(release));
    release->engine->core.active = &release->machine;
    (void)hf_steer_wait_set(&release->machine.wait, 0, HF_R_None, NULL);
    if (phase == HF_PHASE_WAITING)
        prepare_start(release);
    else if (phase == HF_PHASE_VERIFIED)
        replace_begin_swap(release);
    else
        transition_event(release, HF_EV_GO, HF_R_None, NULL);
}
