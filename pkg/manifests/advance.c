/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to the next action: the move of the table, the record, then the action. The record is durable before
 * its action starts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "manifests/entry.h"
#include "manifests/rules/gate.h"
#include "manifests/rules/plan.h"

#define SAVE_RETRY_NS (5 * HF_NS_PER_S)
#define SAVE_RETRY_CAP_NS (60 * HF_NS_PER_S) /* a disk may be full for weeks, and each attempt writes to it */

static void copy_text(char *to, size_t n, const char *text)
{
    (void)snprintf(to, n, "%s", text != NULL ? text : "");
    to[hf_utf8_prefix(to, strlen(to))] = '\0'; /* a cut must not leave half a character */
}

static void set_note(struct entry *entry, enum entry_note_topic topic, enum hf_manifest_reason reason,
                     const char *message)
{
    struct entry_note note = {.reason = reason, .topic = topic};

    copy_text(note.message, sizeof(note.message), message);
    bool is_same = note.reason == entry->note.reason && strcmp(note.message, entry->note.message) == 0;
    entry->note = note;
    if (!is_same)
        manifest_engine_notify(entry->engine);
}

void advance_note(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    set_note(entry, ENTRY_NOTE_STEP, reason, message);
}

void advance_note_about(struct entry *entry, enum entry_note_topic topic, enum hf_manifest_reason reason,
                        const char *message)
{
    if (reason != HF_MANIFEST_REASON_NONE || entry->note.topic == topic)
        set_note(entry, topic, reason, message);
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

    entry->backoff.base_ns = env->retry_base_ns;
    entry->backoff.cap_ns = HF_MAX(env->retry_cap_ns, env->retry_base_ns);
    entry->backoff.floor_ns = env->retry_base_ns / 2;
    return manifest_engine_now(entry->engine) + hf_backoff_next_ns(&entry->backoff, env->rng, 0);
}

void advance_back_off(struct entry *entry)
{
    entry->due_ns = advance_pause(entry);
}

void advance_wait(struct entry *entry, enum hf_manifest_reason reason)
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

    if (entry->note.reason != outcome->reason)
        hf_log(entry->engine->p.env.log, HF_LOG_WARNING, "manifest.not_removed", HF_S("entry", entry->name),
               HF_S("reason", hf_manifest_reason_name(outcome->reason)), HF_S("message", message));
    advance_note(entry, outcome->reason, message);
    advance_wait(entry, outcome->reason);
    if (outcome->reason == HF_MANIFEST_REASON_PRUNE_LIMIT)
        entry->removing = false;
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static void act(struct entry *entry)
{
    enum hf_manifest_action action = entry->then;

    entry->then = HF_MANIFEST_ACT_NONE;
    if (entry->actions->start[action] != NULL)
        entry->actions->start[action](entry);
    manifest_engine_wake(entry->engine);
}

static void save_failed(struct entry *entry, const struct hf_err *err)
{
    char text[HF_RECORD_MESSAGE];

    hf_log_err(entry->engine->p.env.log, HF_LOG_ERROR, "manifest.record", "entry", entry->name, err);
    /* By the time of the next save, what a prepared attempt has compared may be different. The attempt has changed
     * nothing, so the entry rests again: drift is repaired, and a hold or newer content counts. */
    bool prepared = entry->then == HF_MANIFEST_ACT_PLACE && entry->attempt != NULL;
    if (prepared) {
        make_attempt_free(entry->attempt);
        entry->attempt = NULL;
        entry->r.phase = HF_MANIFEST_WAITING;
        entry->then = HF_MANIFEST_ACT_NONE;
    }
    entry->unsaved = true;
    entry->save_backoff.base_ns = entry->save_backoff.floor_ns = SAVE_RETRY_NS;
    entry->save_backoff.cap_ns = SAVE_RETRY_CAP_NS;
    entry->due_ns =
        manifest_engine_now(entry->engine) + hf_backoff_next_ns(&entry->save_backoff, entry->engine->p.env.rng, 0);
    advance_note(entry, hf_manifest_outcome_reason(-err->code), hf_err_text(err, text, sizeof(text)));
    if (prepared) /* the disk gets the bytes of the staged files back */
        entry->actions->start[HF_MANIFEST_ACT_CLEAN](entry);
}

static int run_save(struct job *job)
{
    return hf_manifest_record_save(job->entry->engine->p.env.fs, job->entry->folder, hf_buf_view(&job->text),
                                   &job->err);
}

void advance_keep_text(struct entry *entry, struct job *job)
{
    hf_buf_done(&entry->written);
    entry->written = job->text;
    entry->written_phase = entry->r.phase;
    job->text = (struct hf_buf){.max = HF_RECORD_MAX_BYTES};
}

void advance_take_saved(struct entry *entry, struct job *job)
{
    if (job->saved == 0)
        advance_keep_text(entry, job);
    else if (job->saved < 0)
        hf_buf_clear(&entry->written); /* it may be on disk all the same */
}

bool advance_has_text(const struct entry *entry, const struct job *job)
{
    const struct hf_buf *a = &job->text, *b = &entry->written;

    return a->n > 0 && a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static void saved(struct entry *entry, struct job *job)
{
    if (job->r < 0) {
        save_failed(entry, &job->err);
        return;
    }
    advance_keep_text(entry, job);
    if (entry->unsaved)
        advance_note(entry, HF_MANIFEST_REASON_NONE, NULL);
    entry->unsaved = false;
    /* The disk may take this record, and none beside the staged files of the next attempt. */
    if (entry->r.phase != HF_MANIFEST_WAITING)
        hf_backoff_reset(&entry->save_backoff);
    act(entry);
}

void advance_save(struct entry *entry)
{
    struct job *job = task_new(entry, run_save, saved);
    struct hf_err err = HF_ERR_INIT;
    int r = job == NULL ? -ENOMEM : hf_manifest_record_format(&entry->r, &job->text);

    if (r < 0) {
        (void)hf_err_sys(&err, r, "format the record");
        task_discard(job);
        save_failed(entry, &err);
    } else if (advance_has_text(entry, job)) {
        task_discard(job);
        entry->unsaved = false;
        act(entry);
    } else {
        task_submit(job);
    }
}

/* ---- the move ---------------------------------------------------------------------------------------------------- */

static void log_phase(const struct entry *entry)
{
    const struct hf_manifest_record *r = &entry->r;
    bool bad =
        r->phase == HF_MANIFEST_REFUSED || r->phase == HF_MANIFEST_ROLLING_BACK || r->phase == HF_MANIFEST_ROLLED_BACK;

    hf_log(entry->engine->p.env.log, bad ? HF_LOG_WARNING : HF_LOG_INFO, "manifest.phase", HF_S("entry", entry->name),
           HF_S("phase", hf_manifest_phase_name(r->phase)), HF_S("revision", r->next.revision),
           HF_S("reason", hf_manifest_reason_name(r->reason)), HF_S("message", r->message));
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

static bool has_pods(const struct hf_manifest_record *record)
{
    return hf_manifest_set_is_to(&record->next, HF_MANIFEST_TO_STATIC_PODS);
}

void advance_doubt_pods(struct entry *entry)
{
    entry->r.pods_unread = entry->r.pods_unread || has_pods(&entry->r);
}

/* Changes that belong to the new phase itself. */
static void enter(struct entry *entry, enum hf_manifest_phase phase)
{
    struct hf_manifest_record *r = &entry->r;

    if (phase == HF_MANIFEST_APPLYING && r->phase != phase) {
        r->signed_in_place = r->next.signed_;
        r->starts = 0;
        r->restarted = false;
        entry->resumed = false;
        entry->stuck_attempts = 0;
        entry->start_counted = entry->start_due = false;
    }
    if (phase == HF_MANIFEST_PROBATION && r->phase != phase) {
        entry->probe_ns = entry->refused_ns = 0;
        entry->trial_repairs = 0;
    }
    if (phase == HF_MANIFEST_PROBATION || phase == HF_MANIFEST_APPLIED || phase == HF_MANIFEST_ROLLED_BACK)
        entry->resumed = false; /* the swap that the start found has come to its end */
    if (phase == HF_MANIFEST_APPLIED || phase == HF_MANIFEST_ROLLED_BACK) {
        json_decref(r->pods_before);
        r->pods_before = NULL;
    }
    if (phase == HF_MANIFEST_APPLIED && r->phase == HF_MANIFEST_PROBATION)
        r->pods_unread = has_pods(r) && r->reason == HF_MANIFEST_REASON_HEALTH_UNKNOWN;
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
    r->time_unix_ns = hf_unix_ns(entry->engine->p.env.clock);
    if (hf_manifest_machine_rests(phase) && phase != HF_MANIFEST_WAITING)
        hf_backoff_reset(&entry->backoff);
    hf_manifest_counts_phase(&entry->engine->counts, phase);
    log_phase(entry);
    tell(entry);
}

/* Makes the move of an event in memory. Returns false if the table has none. */
static bool make_move(struct entry *entry, enum hf_manifest_event event, enum hf_manifest_reason reason,
                      const char *message)
{
    struct hf_manifest_record *r = &entry->r;
    struct hf_manifest_move move = hf_manifest_machine_move(r->phase, event);

    if (!move.known) {
        hf_log(entry->engine->p.env.log, HF_LOG_WARNING, "manifest.unexpected", HF_S("entry", entry->name),
               HF_S("phase", hf_manifest_phase_name(r->phase)), HF_S("event", hf_manifest_machine_event_name(event)));
        return false;
    }
    bool other_reason = move.next == HF_MANIFEST_REFUSED && r->phase == move.next &&
                        reason != HF_MANIFEST_REASON_NONE && reason != r->reason;
    if (reason != HF_MANIFEST_REASON_NONE || move.next != r->phase) {
        r->reason = reason;
        copy_text(r->message, sizeof(r->message), message);
    }
    enter(entry, move.next);
    if (other_reason) { /* a repeated attempt met another obstacle */
        log_phase(entry);
        tell(entry);
    }
    entry->then = move.action;
    advance_note(entry, HF_MANIFEST_REASON_NONE, NULL);
    manifest_engine_notify(entry->engine);
    return true;
}

void advance_event(struct entry *entry, enum hf_manifest_event event, enum hf_manifest_reason reason,
                   const char *message)
{
    if (make_move(entry, event, reason, message))
        advance_save(entry);
}

void advance_begin(struct entry *entry)
{
    if (entry->r.phase != HF_MANIFEST_APPLYING)
        (void)make_move(entry, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE, NULL);
    entry->then = HF_MANIFEST_ACT_NONE;
}
