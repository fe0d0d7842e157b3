/* SPDX-License-Identifier: Apache-2.0 */
/* A release as a machine of pkg/steer: what its states change in the journal, what must hold in them, and how the
 * status tells it.
 *
 * An event first changes the journal in memory (enter), then a job writes it, then the status shows it (saved), and
 * then the action starts (act). A failed write is repeated, the action waits, and the status shows StateNotWritable.
 *
 * Two exceptions spare flash storage: an attempt that gained nothing since Waiting was written is not written
 * (to_write), and a text that is on disk already is not written again. While the engine quiesces, no action starts:
 * the next process finds in the journal what comes next. check() asserts after each move what rules/machine.c
 * promises. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/parse.h"
#include "share/share.h"
#include "update/release.h"

static const uint64_t save_retry_ns = 5 * HF_NS_PER_S;

/* Why the status shows a reason that is not the journal's. */
enum wait_topic { WAIT_GATE, WAIT_TROUBLE, WAIT_SAVE };

/* What an event says besides its name. */
struct why {
    enum hf_reason reason;
    const char *message;
};

static struct release *of(struct hf_steer_machine *machine)
{
    return hf_container_of(machine, struct release, machine);
}

/* ---- the journal ------------------------------------------------------------------------------------------------- */

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

static int format(struct hf_steer_machine *machine, struct hf_buf *text)
{
    const struct release *release = of(machine);
    struct hf_journal j = to_write(release);
    int r = hf_journal_format(&j, release->wanted.kept, text);

    if (r < 0 || hf_steer_machine_has_text(machine, text))
        return r;
    hf_buf_clear(text);
    return hf_journal_format(&release->j, release->wanted.kept, text);
}

static int write_journal(struct hf_steer_machine *machine, struct hf_view text, struct hf_err *err)
{
    const struct release *release = of(machine);

    return hf_journal_save(release->engine->p.world.fs, release->folder, text, err);
}

static void log_phase(const struct release *release)
{
    const struct hf_journal *j = &release->j;

    hf_log(release->engine->p.world.log, hf_reason_level(j->phase, j->reason), "update.phase", HF_S("release", j->name),
           HF_S("phase", hf_phase_name(j->phase)), HF_S("version", j->version), HF_D("sequence", j->sequence),
           HF_S("reason", hf_reason_name(j->reason)), HF_S("message", j->message));
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

/* Before the journal is shown: the version before has just been committed by the site's order. */
static void tell_order(const struct release *release)
{
    const struct hf_update_params *p = &release->engine->p;
    const struct hf_journal *j = &release->j;

    assert(j->reason != HF_R_HeldBack || j->phase != HF_PHASE_COMMITTED || j->good_local);
    if (j->phase == HF_PHASE_COMMITTED && j->reason == HF_R_HeldBack &&
        (release->record.shown.phase != HF_PHASE_COMMITTED || strcmp(release->record.shown.digest, j->digest) != 0) &&
        p->went_back != NULL)
        p->went_back(p->arg, j->name, j->version, j->message);
}

/* Shows what is durable now. */
static bool saved(struct hf_steer_machine *machine, bool written)
{
    struct release *release = of(machine);
    struct release_record *record = &release->record;
    bool moved = record->shown.phase != release->j.phase || record->shown.reason != release->j.reason ||
                 strcmp(record->shown.message, release->j.message) != 0;

    if (written)
        transition_note_written(release);
    counts_move(release);
    tell_order(release);
    record->shown = release->j;
    self_tell(release);
    if (moved) {
        log_phase(release);
        (void)hf_steer_wait_set(&machine->wait, WAIT_GATE, HF_R_None, NULL);
        hf_steer_core_notify(&release->engine->core);
    } else {
        hf_steer_machine_wait_end(machine, WAIT_SAVE);
    }
    return true;
}

static void unsaved(struct hf_steer_machine *machine, const struct hf_err *err)
{
    struct release *release = of(machine);

    hf_log_err(release->engine->p.world.log, HF_LOG_ERROR, "update.journal", "release", release->j.name, err);
    release->retry.due_ns = machine->save_due_ns;
    hf_steer_machine_wait(machine, WAIT_SAVE, HF_R_StateNotWritable, NULL);
}

static void act(struct hf_steer_machine *machine, unsigned action)
{
    struct release *release = of(machine);

    assert(release->step.kind == STEP_NONE);
    if (release->engine->quiescing) /* the next process reads in the journal what comes now */
        return;
    if (release->actions->start[action] != NULL)
        release->actions->start[action](release);
}

void transition_message(struct release *release)
{
    enum hf_phase phase = release->j.phase;

    assert(hf_phase_rests(phase) || phase == HF_PHASE_WAITING || phase == HF_PHASE_VERIFIED);
    (void)phase;
    release->machine.due = HF_ACT_NONE;
    hf_steer_machine_save(&release->machine);
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

void transition_tell(struct release *release, enum hf_reason reason, const char *message)
{
    if (release->j.phase == HF_PHASE_COMMITTED) {
        release->j.reason = reason;
        compose(release->j.message, reason, message);
    }
    transition_message(release);
}

static void take_reason(struct release *release, unsigned event, unsigned next, const struct why *why)
{
    struct hf_journal *j = &release->j;
    const struct hf_order *order = hf_strmap_get(&release->engine->orders, j->name);
    char text[HF_UPDATE_MAX_MESSAGE];

    if (why->reason == HF_R_None)
        return;
    bool back = next == HF_PHASE_COMMITTED && j->local && j->boots.verdict == HF_BOOTS_BAD;
    bool ill = next == HF_PHASE_COMMITTED && j->boots.verdict == HF_BOOTS_STAYS &&
               strcmp(j->digest, j->good_digest) == 0; /* also after a repair */
    if (back || ill) {
        j->reason = HF_R_BootFailed;
        compose(j->message, HF_R_BootFailed, j->boots.why);
        return;
    }
    if (next == HF_PHASE_COMMITTED && j->local) {
        j->reason = HF_R_HeldBack;
        compose(j->message, HF_R_HeldBack, order != NULL ? hf_order_text(order, j->version, text, sizeof(text)) : NULL);
        return;
    }
    j->reason = why->reason;
    compose(j->message, why->reason, why->message);
    if (next == HF_PHASE_COMMITTED)
        add_detour(j);
    if (event == HF_EV_FAILED)
        counts_failure(release->engine, why->reason);
}

/* Nobody wants what went back by the site's order: the journal has its object until `committed` has it. */
static bool keeps_object(const struct hf_journal *j)
{
    return j->phase == HF_PHASE_COMMITTED && j->local;
}

/* Another release is committed now: at first nothing speaks against it, and its own boots follow. One that was left for
 * what a boot has shown never starts again. */
static void begin_boots(struct release *release)
{
    const struct hf_edgeupdate *accepted = release->wanted.accepted;
    struct hf_journal *j = &release->j;
    struct hf_journal_boots *boots = &j->boots;

    if (j->local && boots->verdict == HF_BOOTS_BAD)
        memcpy(j->bad_digest, j->good_digest, sizeof(j->bad_digest));
    else
        memset(boots->why, 0, sizeof(boots->why));
    boots->verdict = HF_BOOTS_FINE;
    boots->left = j->local || accepted == NULL ? 0 : accepted->release.probation_boots;
    memcpy(boots->judged, release->engine->boot, sizeof(boots->judged));
    boots->watchdog = release->engine->watchdog;
}

static void enter(struct hf_steer_machine *machine, unsigned event, unsigned next, const void *why)
{
    struct release *release = of(machine);
    enum hf_phase phase = (enum hf_phase)next;
    struct hf_journal *j = &release->j;

    take_reason(release, event, next, why);
    if (j->phase != phase)
        j->time_unix_ns = hf_unix_ns(release->engine->p.world.clock);
    j->phase = phase;
    if (phase == HF_PHASE_COMMITTED && strcmp(j->good_digest, j->digest) != 0) {
        begin_boots(release);
        memcpy(j->good_digest, j->digest, sizeof(j->good_digest));
        memcpy(j->good_version, j->version, sizeof(j->good_version));
        j->good_sequence = j->sequence;
        /* What the last look saw belongs to the version before, whose manifest may have had the same inode number. */
        release->drift.look = (struct hf_swap_look){.size = 0};
    }
    if (phase == HF_PHASE_COMMITTED)
        j->good_local = j->local;
    if (phase == HF_PHASE_ROLLED_BACK && !j->local) {
        memcpy(j->bad_digest, j->digest, sizeof(j->bad_digest));
        if (j->boots.verdict == HF_BOOTS_FINE)
            memset(j->boots.why, 0, sizeof(j->boots.why));
    }
    if (phase != HF_PHASE_FETCHING && phase != HF_PHASE_PATCHING)
        hf_share_end(release->engine->p.share, j->sha256);
    if (hf_phase_rests(phase) && !keeps_object(j)) { /* no later step needs it */
        json_decref(hf_steal(release->wanted.kept));
    }
    if (hf_phase_rests(phase) || phase == HF_PHASE_WAITING)
        hf_steer_core_leave_turn(&release->engine->core, &release->machine);
}

/* The history, which every state carries along. */
static void check_history(const struct hf_journal *j)
{
    assert(j->boots.left == 0 || (j->boots.verdict == HF_BOOTS_FINE && !j->good_local));
    assert(j->boots.verdict == HF_BOOTS_FINE || (j->boots.why[0] != '\0' && j->good_digest[0] != '\0'));
    assert(!j->good_local || j->good_digest[0] != '\0');
    assert(!j->hooked || j->probed); /* only what was in place had its hook, and its restart */
    assert(!j->restarted || j->probed);
    (void)j;
}

/* What each state promises (rules/machine.c). */
static void check(struct hf_steer_machine *machine)
{
    const struct release *release = of(machine);
    const struct hf_journal *j = &release->j;
    bool works = !hf_phase_rests(j->phase) && j->phase != HF_PHASE_WAITING;

    assert(release->step.kind == STEP_NONE); /* an event is the end of a step */
    assert(works || !update_engine_has_turn(release));
    assert(j->phase != HF_PHASE_FETCHING || (update_engine_has_turn(release) && j->method != HF_METHOD_NONE));
    assert(j->phase != HF_PHASE_PATCHING || (update_engine_has_turn(release) && j->method != HF_METHOD_NONE));
    assert(!works || j->digest[0] != '\0');
    assert(!hf_phase_rests(j->phase) || keeps_object(j) || release->wanted.kept == NULL);
    assert(j->phase != HF_PHASE_COMMITTED || strcmp(j->good_digest, j->digest) == 0);
    assert(j->phase != HF_PHASE_ROLLED_BACK || j->local || strcmp(j->bad_digest, j->digest) == 0);
    assert(j->phase != HF_PHASE_FETCHING || !wanted_goes_back(release) || j->method == HF_METHOD_KEPT);
    assert(j->phase != HF_PHASE_PROBATION || j->starts < HF_UPDATE_MAX_STARTS);
    assert(j->phase != HF_PHASE_COMMITTED || (j->good_sequence == j->sequence && j->good_local == j->local));
    assert(j->phase < HF_PHASE_FETCHING || j->phase > HF_PHASE_SWAPPING || !j->probed);
    assert(j->phase != HF_PHASE_PROBATION || j->probed);
    assert(works || j->phase == HF_PHASE_WAITING || !step_is_in_progress(release));
    check_history(j);
    (void)works;
}

static unsigned state(struct hf_steer_machine *machine)
{
    return of(machine)->j.phase;
}

static void unexpected(struct hf_steer_machine *machine, unsigned event)
{
    const struct hf_journal *j = &of(machine)->j;

    hf_log(of(machine)->engine->p.world.log, HF_LOG_WARNING, "update.unexpected", HF_S("release", j->name),
           HF_S("phase", hf_phase_name(j->phase)), HF_S("event", hf_steer_table_event_name(&hf_update_table, event)));
}

static void busy(struct hf_steer_machine *machine, bool is_busy)
{
    if (!is_busy)
        step_end(of(machine));
}

void transition_init(struct release *release)
{
    static const struct hf_steer_type type = {.table = &hf_update_table,
                                              .state = state,
                                              .enter = enter,
                                              .format = format,
                                              .write = write_journal,
                                              .act = act,
                                              .check = check,
                                              .unexpected = unexpected,
                                              .saved = saved,
                                              .unsaved = unsaved,
                                              .busy = busy,
                                              .record = "journal",
                                              .max_bytes = HF_JOURNAL_MAX_BYTES,
                                              .save_retry_ns = save_retry_ns,
                                              .save_retry_cap_ns = save_retry_ns};

    hf_steer_machine_init(&release->machine, &type, &release->engine->core);
}

void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message)
{
    hf_steer_machine_event(&release->machine, event, &(const struct why){.reason = reason, .message = message});
}

void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure)
{
    transition_event(release, event, failure->reason, HF_ERR_TEXT(&failure->err));
}

void transition_no_memory(struct release *release, enum hf_update_event event)
{
    struct hf_failure failure;

    (void)hf_failure_sys(&failure, -ENOMEM, "work");
    retry_back_off(release, HF_R_RetryingLater, 0);
    transition_failure(release, event, &failure);
}

/* ---- what the status shows meanwhile ----------------------------------------------------------------------------- */

void transition_wait(struct release *release, enum hf_reason reason)
{
    if (release->machine.wait.reason != reason)
        hf_steer_machine_wait(&release->machine, WAIT_GATE, reason, NULL);
}

void transition_trouble(struct release *release, int r, const struct hf_err *err)
{
    char text[HF_UPDATE_MAX_MESSAGE];

    hf_steer_machine_wait(&release->machine, WAIT_TROUBLE,
                          r == -ENOSPC || r == -EROFS ? HF_R_StateNotWritable : hf_reason_of_errno(r),
                          hf_err_text(err, text, sizeof(text)));
}

void transition_no_trouble(struct release *release)
{
    hf_steer_machine_wait_end(&release->machine, WAIT_TROUBLE);
}
