/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to the next action: the move of the table, the journal, then the action. The journal is durable before
 * its action starts. */
#include <errno.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/parse.h"
#include "update/release.h"

static const uint64_t save_retry_ns = 5 * HF_NS_PER_S;

/* ---- the journal ------------------------------------------------------------------------------------------------- */

static void act(struct release *release)
{
    enum hf_update_action action = release->record.then;

    release->record.then = HF_ACT_NONE;
    if (release->engine->state == ENGINE_QUIESCING) /* the next process reads in the journal what comes now */
        return;
    if (release->actions->start[action] != NULL)
        release->actions->start[action](release);
    update_engine_wake(release->engine);
}

static void save_failed(struct release *release, const struct hf_err *err)
{
    hf_log_err(release->engine->p.log, HF_LOG_ERROR, "update.journal", "release", release->j.name, err);
    release->retry.redo = REDO_SAVE;
    release->retry.due_ns = hf_mono_ns(release->engine->p.clock) + save_retry_ns;
    transition_wait(release, HF_R_StateNotWritable);
    update_engine_wake(release->engine);
}

static int run_save(struct step_job *step)
{
    return hf_journal_save(step->release->engine->p.fs, step->release->folder, hf_buf_view(&step->text),
                           &step->failure.err);
}

static void log_phase(const struct release *release)
{
    const struct hf_journal *j = &release->j;

    hf_log(release->engine->p.log, hf_reason_level(j->phase, j->reason), "update.phase", HF_S("release", j->name),
           HF_S("phase", hf_phase_name(j->phase)), HF_S("version", j->version), HF_D("sequence", j->sequence),
           HF_S("reason", hf_reason_name(j->reason)), HF_S("message", j->message));
}

static void is_durable(struct release *release)
{
    struct release_record *record = &release->record;
    bool moved = record->shown.phase != release->j.phase || record->shown.reason != release->j.reason ||
                 strcmp(record->shown.message, release->j.message) != 0;

    counts_move(release);
    record->shown = release->j;
    if (release->retry.redo == REDO_SAVE)
        release->retry.redo = REDO_NOTHING;
    if (moved) {
        log_phase(release);
        release->wait_reason = HF_R_None;
        update_engine_notify(release->engine);
    } else {
        transition_wait(release, release->wait_reason == HF_R_StateNotWritable ? HF_R_None : release->wait_reason);
    }
    act(release);
}

void transition_note_written(struct release *release)
{
    const struct hf_journal *j = &release->j;
    struct release_record *record = &release->record;

    record->written.phase = j->phase;
    record->written.reason = j->reason;
    record->written.attempts = j->attempts;
    record->written.time_unix_ns = j->time_unix_ns;
    memcpy(record->written.message, j->message, sizeof(j->message));
}

static void saved(struct release *release, struct step_job *step)
{
    if (step->r < 0) {
        save_failed(release, &step->failure.err);
        return;
    }
    hf_buf_done(&release->record.text);
    release->record.text = step->text;
    transition_note_written(release);
    step->text = (struct hf_buf){.max = HF_JOURNAL_MAX_BYTES};
    is_durable(release);
}

static bool same_text(const struct hf_buf *a, const struct hf_buf *b)
{
    return a->n > 0 && a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* The journal as a start needs it. An unreachable artifact is requested again and again, which must not wear out the
 * card: if an attempt gained nothing since Waiting was written, that record still holds all that a start needs
 * (Fetching starts from Waiting too). */
static struct hf_journal to_write(const struct release *release)
{
    const struct release_record *record = &release->record;
    struct hf_journal j = release->j;

    if (record->written.phase != HF_PHASE_WAITING || record->written.attempts == 0 ||
        (j.phase != HF_PHASE_WAITING && j.phase != HF_PHASE_FETCHING))
        return j;
    j.phase = record->written.phase;
    j.reason = record->written.reason;
    j.attempts = record->written.attempts;
    j.time_unix_ns = record->written.time_unix_ns;
    memcpy(j.message, record->written.message, sizeof(j.message));
    return j;
}

/* Write, sync, then act. Skips the write if the same text is on disk already. */
static void save(struct release *release)
{
    struct step_job *step = step_new(release, STEP_SAVE, run_save, saved);
    const struct hf_buf *on_disk = &release->record.text;
    struct hf_journal j = to_write(release);
    struct hf_err err = HF_ERR_INIT;
    int r = step == NULL ? -ENOMEM : hf_journal_format(&j, release->wanted.kept, &step->text);

    if (r == 0 && !same_text(&step->text, on_disk)) {
        hf_buf_clear(&step->text);
        r = hf_journal_format(&release->j, release->wanted.kept, &step->text);
    }
    if (r < 0) {
        (void)hf_err_sys(&err, r, "format the journal");
        step_discard(step);
        save_failed(release, &err);
    } else if (same_text(&step->text, on_disk)) {
        step_discard(step);
        is_durable(release);
    } else {
        step_submit(step);
    }
}

void transition_save_again(struct release *release)
{
    save(release);
}

void transition_message(struct release *release)
{
    release->record.then = HF_ACT_NONE;
    save(release);
}

/* ---- the move ---------------------------------------------------------------------------------------------------- */

static void compose(char message[HF_UPDATE_MAX_MESSAGE], enum hf_reason reason, const char *text)
{
    const char *remedy = hf_reason_remedy(reason);
    size_t n;

    (void)snprintf(message, HF_UPDATE_MAX_MESSAGE, "%s",
                   text != NULL && text[0] != '\0' ? text : hf_reason_meaning(reason));
    n = strlen(message);
    if (strcmp(remedy, "nothing") != 0 && strcmp(remedy, "wait") != 0 && strncmp(remedy, "see the message", 15) != 0 &&
        n + strlen(remedy) + 3 < HF_UPDATE_MAX_MESSAGE)
        (void)snprintf(message + n, HF_UPDATE_MAX_MESSAGE - n, "; %s", remedy);
    /* A cut must not leave half a character. */
    message[hf_utf8_prefix(message, strlen(message))] = '\0';
}

/* The final message says why the update did not take the shortest chain of deltas. */
static void add_detour(struct hf_journal *j)
{
    size_t n = strlen(j->message);

    if (j->detour[0] != '\0' && n + strlen(j->detour) + 3 < sizeof(j->message))
        (void)snprintf(j->message + n, sizeof(j->message) - n, "; %s", j->detour);
}

/* Changes that belong to the new state itself. */
static void enter(struct release *release, enum hf_phase phase)
{
    struct hf_journal *j = &release->j;

    if (j->phase != phase)
        j->time_unix_ns = hf_unix_ns(release->engine->p.clock);
    j->phase = phase;
    if (phase == HF_PHASE_COMMITTED && strcmp(j->good_digest, j->digest) != 0) {
        memcpy(j->good_digest, j->digest, sizeof(j->good_digest));
        memcpy(j->good_version, j->version, sizeof(j->good_version));
        j->good_sequence = j->sequence;
        /* What the last look saw belongs to the version before, whose manifest may have had the same inode number. */
        release->drift.look = (struct hf_swap_look){.size = 0};
    }
    if (phase == HF_PHASE_ROLLED_BACK)
        memcpy(j->bad_digest, j->digest, sizeof(j->bad_digest));
    if (hf_phase_rests(phase)) { /* no later step needs the object */
        json_decref(release->wanted.kept);
        release->wanted.kept = NULL;
    }
    if (hf_phase_rests(phase) || phase == HF_PHASE_WAITING)
        update_engine_leave_turn(release);
}

void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message)
{
    struct hf_journal *j = &release->j;
    struct hf_update_move move = hf_update_move(j->phase, event);

    if (!move.known) {
        hf_log(release->engine->p.log, HF_LOG_WARNING, "update.unexpected", HF_S("release", j->name),
               HF_S("phase", hf_phase_name(j->phase)), HF_S("event", hf_update_event_name(event)));
        return;
    }
    if (reason != HF_R_None) {
        j->reason = reason;
        compose(j->message, reason, message);
        if (move.next == HF_PHASE_COMMITTED)
            add_detour(j);
    }
    if (event == HF_EV_FAILED && reason != HF_R_None)
        counts_failure(release->engine, reason);
    enter(release, move.next);
    release->record.then = move.action;
    save(release);
}

void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure)
{
    char text[520];

    transition_event(release, event, failure->reason, hf_err_text(&failure->err, text, sizeof(text)));
}

void transition_no_memory(struct release *release, enum hf_update_event event)
{
    struct hf_failure failure;

    (void)hf_failure_sys(&failure, -ENOMEM, "work");
    retry_back_off(release, HF_R_RetryingLater, 0);
    transition_failure(release, event, &failure);
}

void transition_trouble(struct release *release, int r, const struct hf_err *err)
{
    (void)hf_err_text(err, release->retry.trouble, sizeof(release->retry.trouble));
    transition_wait(release, r == -ENOSPC || r == -EROFS ? HF_R_StateNotWritable : hf_reason_of_errno(r));
}

void transition_no_trouble(struct release *release)
{
    if (release->retry.trouble[0] == '\0')
        return;
    release->retry.trouble[0] = '\0';
    transition_wait(release, HF_R_None);
}

void transition_wait(struct release *release, enum hf_reason reason)
{
    if (release->wait_reason == reason)
        return;
    release->wait_reason = reason;
    update_engine_notify(release->engine);
}
