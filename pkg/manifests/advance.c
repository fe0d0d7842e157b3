/* SPDX-License-Identifier: Apache-2.0 */
/* An entry as a machine of pkg/steer.
 *
 * An event makes a move of the table in rules/machine.h; the record of the new phase becomes durable; then the action
 * of the move starts. Here is what is the entry's own in that: what a phase changes in the record and in the counters
 * of its attempts, what the status and the log say, and the notices to the engine's owner.
 *
 * A record that cannot be written leaves an attempt that was only prepared, because what it has compared would be old
 * by the time of the next try: the entry rests again, and its staged files give the disk their bytes back. Any other
 * action waits for the disk. The disk may be full for weeks, so the pauses grow, and a record that was written in
 * Waiting does not shorten them: it says nothing about a record beside the staged files of the next attempt.
 *
 * Jobs that write the record themselves (a repair, a run on objects) tell so with advance_keep_text(), so that the next
 * save of the same text is skipped. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "manifests/entry.h"
#include "manifests/rules/gate.h"
#include "manifests/rules/plan.h"
#include "manifests/targets/target.h"

#define SAVE_RETRY_NS (5 * HF_NS_PER_S)
#define SAVE_RETRY_CAP_NS (60 * HF_NS_PER_S) /* a disk may be full for weeks, and each attempt writes to it */

static void copy_text(char *to, size_t n, const char *text)
{
    (void)snprintf(to, n, "%s", text != NULL ? text : "");
    to[hf_utf8_prefix(to, strlen(to))] = '\0'; /* a cut must not leave half a character */
}

static struct entry *of(struct hf_steer_machine *machine)
{
    return hf_container_of(machine, struct entry, machine);
}

void advance_note(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    hf_steer_machine_wait(&entry->machine, ENTRY_NOTE_STEP, reason, message);
}

void advance_note_about(struct entry *entry, enum entry_note_topic topic, enum hf_manifest_reason reason,
                        const char *message)
{
    if (reason != HF_MANIFEST_REASON_NONE)
        hf_steer_machine_wait(&entry->machine, topic, reason, message);
    else
        hf_steer_machine_wait_end(&entry->machine, topic);
}

const char *advance_text(const struct entry *entry, const struct hf_manifest_set *set, enum hf_manifest_reason reason,
                         const char *message, char text[HF_RECORD_MESSAGE])
{
    if (reason != HF_MANIFEST_REASON_PRUNE_LIMIT)
        return message;
    return hf_plan_prune_advice(message, entry->name, set->digest, text, HF_RECORD_MESSAGE);
}

uint64_t advance_pause(struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;

    return hf_steer_machine_pause(&entry->machine, env->retry_base_ns, env->retry_cap_ns, env->retry_base_ns / 2, 0);
}

void advance_back_off(struct entry *entry)
{
    entry->due_ns = advance_pause(entry);
}

/* As advance_back_off(); none before the next interval if a person has to act first (hf_manifest_gate_retry()). */
static void wait_after(struct entry *entry, enum hf_manifest_reason reason)
{
    advance_back_off(entry);
    if (hf_manifest_gate_retry(reason) == HF_MANIFEST_RETRY_INTERVAL)
        entry->due_ns = HF_NEVER;
}

void advance_not_removed(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    char text[HF_RECORD_MESSAGE];
    const char *message =
        advance_text(entry, hf_manifest_record_owner(&entry->r), outcome->reason, outcome->message, text);

    if (entry->machine.wait.reason != outcome->reason)
        hf_log(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.not_removed", HF_S("entry", entry->name),
               HF_S("reason", hf_manifest_reason_name(outcome->reason)), HF_S("message", message));
    advance_note(entry, outcome->reason, message);
    wait_after(entry, outcome->reason);
    if (outcome->reason == HF_MANIFEST_REASON_PRUNE_LIMIT)
        entry->removing = false;
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static int format(struct hf_steer_machine *machine, struct hf_buf *text)
{
    return hf_manifest_record_format(&of(machine)->r, text);
}

static int write_record(struct hf_steer_machine *machine, struct hf_view text, struct hf_err *err)
{
    const struct entry *entry = of(machine);

    return hf_manifest_record_save(entry->engine->p.env.world.fs, entry->folder, text, err);
}

static void act(struct hf_steer_machine *machine, unsigned action)
{
    struct entry *entry = of(machine);

    assert(!entry->busy && entry->life != ENTRY_GONE);
    if (entry->actions->start[action] != NULL)
        entry->actions->start[action](entry);
}

static bool saved(struct hf_steer_machine *machine, bool written)
{
    struct entry *entry = of(machine);

    if (written)
        entry->written_phase = entry->r.phase;
    if (written && machine->unsaved)
        advance_note(entry, HF_MANIFEST_REASON_NONE, NULL);
    /* The disk may take this record, and none beside the staged files of the next attempt. */
    return entry->r.phase != HF_MANIFEST_WAITING;
}

static void unsaved(struct hf_steer_machine *machine, const struct hf_err *err)
{
    struct entry *entry = of(machine);

    hf_log_err(entry->engine->p.env.world.log, HF_LOG_ERROR, "manifest.record", "entry", entry->name, err);
    /* By the time of the next save, what a prepared attempt has compared may be different. The attempt has changed
     * nothing, so the entry rests again: drift is repaired, and a hold or newer content counts. */
    bool prepared = machine->due == HF_MANIFEST_ACT_PLACE && entry->attempt != NULL;
    assert(!prepared || entry->r.phase == HF_MANIFEST_APPLYING);
    if (prepared) {
        make_attempt_free(hf_steal(entry->attempt));
        entry->r.phase = HF_MANIFEST_WAITING;
        machine->due = HF_MANIFEST_ACT_NONE;
    }
    entry->due_ns = machine->save_due_ns;
    advance_note(entry, hf_manifest_outcome_reason(-err->code), HF_ERR_TEXT(err));
    if (prepared) /* the disk gets the bytes of the staged files back */
        entry->actions->start[HF_MANIFEST_ACT_CLEAN](entry);
}

void advance_keep_text(struct entry *entry, struct hf_buf *text)
{
    hf_steer_machine_keep_text(&entry->machine, text);
    entry->written_phase = entry->r.phase;
}

void advance_take_saved(struct entry *entry, int saved_r, struct hf_buf *text)
{
    if (saved_r == 0)
        advance_keep_text(entry, text);
    else if (saved_r < 0)
        hf_buf_clear(&entry->machine.text); /* it may be on disk all the same */
}

bool advance_has_text(const struct entry *entry, const struct hf_buf *text)
{
    return hf_steer_machine_has_text(&entry->machine, text);
}

void advance_save(struct entry *entry)
{
    hf_steer_machine_save(&entry->machine);
}

/* ---- the move ---------------------------------------------------------------------------------------------------- */

static void log_phase(const struct entry *entry)
{
    const struct hf_manifest_record *r = &entry->r;
    bool bad =
        r->phase == HF_MANIFEST_REFUSED || r->phase == HF_MANIFEST_ROLLING_BACK || r->phase == HF_MANIFEST_ROLLED_BACK;

    hf_log(entry->engine->p.env.world.log, bad ? HF_LOG_WARNING : HF_LOG_INFO, "manifest.phase",
           HF_S("entry", entry->name), HF_S("phase", hf_manifest_phase_name(r->phase)),
           HF_S("revision", r->next.revision), HF_S("reason", hf_manifest_reason_name(r->reason)),
           HF_S("message", r->message));
}

static void tell(const struct entry *entry)
{
    static const struct {
        enum hf_manifest_phase phase;
        enum hf_manifest_notice notice;
    } notices[] = {{HF_MANIFEST_APPLIED, HF_MANIFEST_NOTICE_APPLIED},
                   {HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_NOTICE_ROLLED_BACK},
                   {HF_MANIFEST_REFUSED, HF_MANIFEST_NOTICE_REFUSED}};
    const struct hf_manifest_engine_params *p = &entry->engine->p;

    for (size_t i = 0; i < HF_LEN(notices) && p->happened != NULL; i++)
        if (notices[i].phase == entry->r.phase)
            p->happened(p->arg, notices[i].notice, entry->name, entry->r.message);
}

void advance_doubt_pods(struct entry *entry)
{
    entry->r.pods_unread = entry->r.pods_unread || target_of(entry, &entry->r.next)->is_pods;
}

/* Changes that belong to the new phase itself. */
static void enter_phase(struct entry *entry, enum hf_manifest_phase phase)
{
    struct hf_manifest_record *r = &entry->r;

    if (phase == HF_MANIFEST_APPLYING && r->phase != phase) {
        r->signed_in_place = r->next.signed_;
        r->starts = 0;
        r->restarted = false;
        entry->resumed = false;
        entry->failures.stuck_attempts = 0;
        entry->trial.start_counted = entry->trial.start_due = false;
    }
    if (phase == HF_MANIFEST_PROBATION && r->phase != phase) {
        entry->cluster.probe_ns = entry->trial.refused_ns = 0;
        entry->trial.repairs = 0;
    }
    if (phase == HF_MANIFEST_PROBATION || phase == HF_MANIFEST_APPLIED || phase == HF_MANIFEST_ROLLED_BACK)
        entry->resumed = false; /* the swap that the start found has come to its end */
    if (phase == HF_MANIFEST_APPLIED || phase == HF_MANIFEST_ROLLED_BACK)
        json_decref(hf_steal(r->pods_before));
    if (phase == HF_MANIFEST_APPLIED && r->phase == HF_MANIFEST_PROBATION)
        r->pods_unread = r->reason == HF_MANIFEST_REASON_HEALTH_UNKNOWN;
    if (phase == HF_MANIFEST_ROLLED_BACK)
        advance_doubt_pods(entry);
    if (phase == HF_MANIFEST_ROLLING_BACK)
        r->unproven = true; /* until the good set is in place again */
    if (phase == HF_MANIFEST_APPLIED && r->phase != phase) {
        r->unproven = r->good_unknown = false;
        r->restart_due = r->restart_due && !r->restarted;
        hf_manifest_set_copy(&r->good, &r->next);
        r->drifts = 0;
        r->drift_unix_ns = 0;
    }
    if (r->phase == phase)
        return;
    r->phase = phase;
    manifest_engine_wake_dependents(entry->engine);
    r->time_unix_ns = hf_unix_ns(entry->engine->p.env.world.clock);
    if (hf_manifest_machine_rests(phase) && phase != HF_MANIFEST_WAITING)
        hf_backoff_reset(&entry->machine.backoff);
    hf_manifest_counts_phase(&entry->engine->counts, phase);
    log_phase(entry);
    tell(entry);
}

/* What an event says besides its name. */
struct event_reason {
    enum hf_manifest_reason reason;
    const char *message;
};

static void enter(struct hf_steer_machine *machine, HF_UNUSED unsigned event, unsigned next, const void *arg)
{
    struct entry *entry = of(machine);
    struct hf_manifest_record *r = &entry->r;
    const struct event_reason *why = arg;
    bool other_reason = next == HF_MANIFEST_REFUSED && r->phase == next && why->reason != HF_MANIFEST_REASON_NONE &&
                        why->reason != r->reason;

    if (why->reason != HF_MANIFEST_REASON_NONE || next != r->phase) {
        r->reason = why->reason;
        copy_text(r->message, sizeof(r->message), why->message);
    }
    enter_phase(entry, (enum hf_manifest_phase)next);
    if (other_reason) { /* a repeated attempt met another obstacle */
        log_phase(entry);
        tell(entry);
    }
    advance_note(entry, HF_MANIFEST_REASON_NONE, NULL);
    hf_steer_core_notify(&entry->engine->core);
}

/* What each phase promises (rules/machine.c). */
static void check(struct hf_steer_machine *machine)
{
    const struct entry *entry = of(machine);
    const struct hf_manifest_record *r = &entry->r;

    assert(entry->life == ENTRY_NEW || entry->life == ENTRY_STARTED);
    assert(machine->job == NULL); /* an event is the end of a step */
    assert(r->phase != HF_MANIFEST_APPLIED || strcmp(r->good.digest, r->next.digest) == 0);
    assert(r->phase != HF_MANIFEST_ROLLING_BACK || r->unproven);
    assert(r->phase != HF_MANIFEST_PROBATION || !entry->resumed);
    assert((r->phase != HF_MANIFEST_APPLIED && r->phase != HF_MANIFEST_ROLLED_BACK) || r->pods_before == NULL);
    assert(r->phase != HF_MANIFEST_APPLIED || (strcmp(r->good.key, r->next.key) == 0 && !r->good_unknown));
    assert(hf_manifest_machine_rests(r->phase) || r->next.key[0] != '\0'); /* it works on a set */
    assert(r->phase == HF_MANIFEST_APPLYING || entry->attempt == NULL);
    assert(r->phase != HF_MANIFEST_PROBATION || entry->trial.checks == NULL);
    assert(!entry->busy ||
           (r->phase == HF_MANIFEST_APPLYING && entry->cluster.run != NULL)); /* a run begins to write */
    (void)entry;
    (void)r;
}

static unsigned state(struct hf_steer_machine *machine)
{
    return of(machine)->r.phase;
}

static void unexpected(struct hf_steer_machine *machine, unsigned event)
{
    const struct entry *entry = of(machine);

    hf_log(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.unexpected", HF_S("entry", entry->name),
           HF_S("phase", hf_manifest_phase_name(entry->r.phase)),
           HF_S("event", hf_steer_table_event_name(&hf_manifest_table, event)));
}

/* The status has the number of files; a step that comes after the job may not change what else it has. */
static void count_files(struct entry *entry)
{
    size_t n = hf_inventory_files(&entry->inventory);

    if (n != entry->n_files)
        hf_steer_core_notify(&entry->engine->core);
    entry->n_files = n;
}

static void busy(struct hf_steer_machine *machine, bool is_busy)
{
    of(machine)->busy = is_busy;
    if (!is_busy)
        count_files(of(machine));
}

void manifest_engine_wake_dependents(struct hf_manifest_engine *engine)
{
    for (size_t i = 0; i < engine->entries.n; i++) {
        struct entry *entry = engine->entries.entries[i].value;
        if (entry->wanted != NULL && entry->wanted->depends_on[0] != NULL)
            hf_steer_machine_wake(&entry->machine);
    }
}

void advance_init(struct entry *entry)
{
    static const struct hf_steer_type type = {.table = &hf_manifest_table,
                                              .state = state,
                                              .enter = enter,
                                              .format = format,
                                              .write = write_record,
                                              .act = act,
                                              .check = check,
                                              .unexpected = unexpected,
                                              .saved = saved,
                                              .unsaved = unsaved,
                                              .busy = busy,
                                              .record = "record",
                                              .max_bytes = HF_RECORD_MAX_BYTES,
                                              .save_retry_ns = SAVE_RETRY_NS,
                                              .save_retry_cap_ns = SAVE_RETRY_CAP_NS};

    hf_steer_machine_init(&entry->machine, &type, &entry->engine->core);
}

void advance_event(struct entry *entry, enum hf_manifest_event event, enum hf_manifest_reason reason,
                   const char *message)
{
    hf_steer_machine_event(&entry->machine, event, &(const struct event_reason){.reason = reason, .message = message});
}

void advance_begin(struct entry *entry)
{
    if (entry->r.phase != HF_MANIFEST_APPLYING)
        (void)hf_steer_machine_move(&entry->machine, HF_MANIFEST_EV_GO,
                                    &(const struct event_reason){.reason = HF_MANIFEST_REASON_NONE});
    assert(entry->r.phase == HF_MANIFEST_APPLYING);
    entry->machine.due = HF_MANIFEST_ACT_NONE;
}
