/* SPDX-License-Identifier: Apache-2.0 */
/* The action `probe`: restarts or reloads the unit, runs the health checks, then looks if the files are still as the
 * newest set wants them. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifests/content/content.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/repair.h"
#include "manifests/targets/trial.h"
#include "manifests/unit_call.h"
#include "steps/checks.h"
#include "steps/restart.h"

static void verdict(struct entry *entry, bool good, enum hf_manifest_reason reason, const char *text)
{
    assert(entry->r.phase == HF_MANIFEST_PROBATION && !entry->busy);
    assert(!good || entry->attempt->failure.reason == HF_MANIFEST_REASON_NONE);
    make_attempt_free(hf_steal(entry->attempt));
    advance_event(entry, good ? HF_MANIFEST_EV_HEALTHY : HF_MANIFEST_EV_UNHEALTHY, reason, text);
}

/* The result of the checks is good. */
static void pass(struct entry *entry)
{
    const struct attempt *attempt = entry->attempt;
    enum hf_manifest_reason reason = attempt->health_unknown         ? HF_MANIFEST_REASON_HEALTH_UNKNOWN
                                     : attempt->entry->n_checks == 0 ? HF_MANIFEST_REASON_APPLIED
                                                                     : HF_MANIFEST_REASON_HEALTH_PASSED;
    char text[HF_RECORD_MESSAGE];

    (void)snprintf(text, sizeof(text), "%s", entry->r.message);
    verdict(entry, true, reason, text);
}

void trial_conclude(struct entry *entry)
{
    const struct entry_note failure = entry->attempt->failure;

    if (failure.reason != HF_MANIFEST_REASON_NONE)
        verdict(entry, false, failure.reason, failure.message);
    else
        pass(entry);
}

/* ---- the files under the checks ---------------------------------------------------------------------------------- */

static void end_attempt(struct entry *entry)
{
    make_attempt_free(hf_steal(entry->attempt));
}

/* Begins again with the unit. The record does not change, so nothing is written. */
static void again(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    end_attempt(entry);
    advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_NONE, NULL);
    advance_note(entry, reason, message);
}

static void no_memory(struct entry *entry)
{
    advance_back_off(entry);
    again(entry, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
}

/* Nobody has the content of the set now. The source delivers it again, and the set has to pass then. */
static void postpone(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    end_attempt(entry);
    entry->r.unproven = true;
    advance_event(entry, HF_MANIFEST_EV_POSTPONED, reason, message);
}

void trial_lose_content(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    content_lost(entry, &entry->r.next);
    advance_back_off(entry);
    postpone(entry, reason, message);
}

void trial_not_put_back(struct entry *entry, bool unreadable, enum hf_manifest_reason reason, const char *message)
{
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core), deadline_ns = entry->attempt->entry->health_deadline_ns;

    if (entry->trial.refused_ns == 0)
        entry->trial.refused_ns = now;
    bool late = now - entry->trial.refused_ns >= deadline_ns;
    if (reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE || (late && unreadable)) {
        trial_lose_content(entry, reason, message);
    } else if (late) {
        verdict(entry, false, reason, message);
    } else {
        advance_back_off(entry);
        again(entry, reason, message);
    }
}

static void put_back(struct entry *entry, struct job *job)
{
    struct repair *repair = hf_container_of(job, struct repair, job);

    assert(entry->r.phase == HF_MANIFEST_PROBATION && strcmp(entry->attempt->set.key, entry->r.next.key) == 0);
    entry->drift.watch_stale = true;
    advance_take_saved(entry, repair->saved, &repair->text);
    if (job->r < 0) {
        content_count_unreadable(entry, job);
        trial_not_put_back(entry, job->unreadable, job->outcome.reason, job->outcome.message);
        return;
    }
    entry->trial.repairs++;
    entry->trial.refused_ns = 0;
    if (repair->diff.n > 0) /* otherwise it has only completed a repair that a kill had cut */
        repair_put_back(entry, hf_diff_text(&repair->diff));
    again(entry, HF_MANIFEST_REASON_NONE, NULL);
}

static void start_put_back(struct entry *entry)
{
    struct repair *repair = repair_new(entry, put_back);

    if (repair == NULL) {
        no_memory(entry);
        return;
    }
    advance_doubt_pods(entry);
    if (entry->r.pods_unread && hf_manifest_record_format(&entry->r, &repair->text) < 0)
        hf_buf_clear(&repair->text); /* a half text is no record; the next save writes it */
    task_submit(&repair->job);
}

static void looked(struct entry *entry, struct job *job)
{
    bool failed = entry->attempt->failure.reason != HF_MANIFEST_REASON_NONE, secret = entry->attempt->place.secret;
    bool is_absent = !content_store_has(entry, &entry->r.next); /* an earlier process had the content */
    bool is_ours = hf_container_of(job, struct drift_look, job)->diff.n == 0 && (secret || !entry->inventory.pending);
    bool looks_again =
        job->r < 0 && (entry->trial.repairs < MANIFEST_MAX_TRIAL_REPAIRS || entry->trial.refused_ns != 0);

    if (is_absent && !failed) { /* the inventory has no hashes of it */
        postpone(entry, HF_MANIFEST_REASON_SECRET_ABSENT,
                 "the agent has started since, and the checks begin anew when the content is here");
    } else if (looks_again) {
        entry->trial.repairs++;
        entry->trial.refused_ns = 0;
        advance_back_off(entry);
        again(entry, HF_MANIFEST_REASON_WRITE_FAILED, HF_ERR_TEXT(&job->err));
    } else if (entry->trial.refused_ns != 0 && is_ours) {
        entry->trial.repairs++; /* somebody else has put it back, and may do so again and again */
        entry->trial.refused_ns = 0;
        again(entry, HF_MANIFEST_REASON_NONE, NULL);
    } else if (job->r < 0 || is_ours || is_absent || entry->trial.repairs >= MANIFEST_MAX_TRIAL_REPAIRS) {
        trial_conclude(entry);
    } else {
        start_put_back(entry);
    }
}

/* Somebody may have changed files that are on trial. Their health then says nothing about the newest set. */
static void look_at_files(struct entry *entry)
{
    struct drift_look *look = repair_look_new(entry, true, looked);

    if (look == NULL)
        no_memory(entry);
    else
        task_submit(&look->job);
}

static void start_look(struct entry *entry)
{
    if (entry->attempt->look != NULL)
        entry->attempt->look(entry);
    else
        look_at_files(entry);
}

void trial_fail(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    entry->attempt->failure.reason = reason;
    (void)snprintf(entry->attempt->failure.message, sizeof(entry->attempt->failure.message), "%s", message);
    start_look(entry);
}

bool trial_puts_back_again(struct entry *entry)
{
    struct drift_look *look = entry->trial.refused_ns != 0 ? repair_look_new(entry, false, looked) : NULL;

    entry->attempt = look != NULL ? make_attempt(entry, &entry->r.next) : NULL;
    if (entry->attempt == NULL) {
        task_discard(look);
        return false;
    }
    task_submit(&look->job);
    return true;
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static void checked(void *arg, const struct hf_health *health)
{
    struct entry *entry = arg;

    assert(entry->r.phase == HF_MANIFEST_PROBATION && !entry->attempt->checked);
    entry->trial.checks = NULL;
    entry->busy = false;
    entry->attempt->checked = true;
    if (health->verdict == HF_HEALTH_PASSED)
        start_look(entry);
    else
        trial_fail(entry, HF_MANIFEST_REASON_HEALTH_FAILED,
                   entry->attempt->place.secret
                       ? "a health check failed; its output may name the secret, so it is not shown"
                       : health->message);
}

void trial_check(struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    const struct hf_manifest *manifest = entry->attempt->entry;
    struct hf_checks_params params = {.clock = env->world.clock,
                                      .sched = env->world.sched,
                                      .http = env->http,
                                      .proc = env->proc,
                                      .probe = env->probe,
                                      .unit = env->unit,
                                      .checks = manifest->checks,
                                      .n = manifest->n_checks,
                                      .deadline_ns = manifest->health_deadline_ns,
                                      .done = checked,
                                      .arg = entry};
    struct hf_err err = HF_ERR_INIT;

    if (manifest->n_checks == 0) {
        start_look(entry);
        return;
    }
    entry->busy = true;
    if (hf_checks_start(&params, &entry->trial.checks, &err) == 0)
        return;
    entry->busy = false;
    verdict(entry, false, HF_MANIFEST_REASON_HEALTH_FAILED, HF_ERR_TEXT(&err));
}

/* ---- restart ----------------------------------------------------------------------------------------------------- */

static void restarted(void *arg, int r, const struct hf_err *err)
{
    struct entry *entry = arg;

    entry->unit.call = NULL;
    entry->busy = false;
    if (r < 0) {
        trial_fail(entry, HF_MANIFEST_REASON_RESTART_FAILED, HF_ERR_TEXT(err));
        return;
    }
    entry->r.restarted = true;
    trial_check(entry);
}

void trial_start(struct entry *entry)
{
    struct hf_err err = HF_ERR_INIT;

    entry->attempt = make_attempt(entry, &entry->r.next);
    if (entry->attempt == NULL) {
        advance_back_off(entry);
        advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
        return;
    }
    if (entry->r.starts > HF_RECORD_MAX_STARTS) {
        verdict(entry, false, HF_MANIFEST_REASON_HEALTH_FAILED, "the agent started too often before the checks ended");
        return;
    }
    int r = unit_call_start(entry, &entry->r.next, restarted, &err);
    if (r == 0)
        return;
    if (r > 0) {
        trial_check(entry);
        return;
    }
    verdict(entry, false, HF_MANIFEST_REASON_RESTART_FAILED, HF_ERR_TEXT(&err));
}
