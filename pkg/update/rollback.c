/* SPDX-License-Identifier: Apache-2.0 */
/* Rollback: put the old version back, restart it, check it once, and compare what is installed with what it was.
 *
 * If the release is that of the agent itself, the restart ends this process. It comes last, after RolledBack is
 * durable: a process that starts in RollingBack would roll back and restart again, and so would the next one, for ever.
 * However this process ends before the restart, the next one is of the old version, which is in place. */
#include <assert.h>
#include <string.h>

#include "update/release.h"

#include "base/encoding/cut.h"

enum { HF_UPDATE_MAX_CHANGES = 3 }; /* probations with a changed target, before the engine gives up */

enum { MAX_RESTART_TRIES = 10 };
static const uint64_t restart_again_ns = 3 * HF_NS_PER_S, again_ns = 60 * HF_NS_PER_S;

enum { TAIL = 200 };

/* The reason for the rollback stays; the state of the old version is appended to the message. */
static void append(struct release *release, const char tail[TAIL])
{
    struct hf_journal *j = &release->j;
    char text[HF_UPDATE_MAX_MESSAGE];

    (void)snprintf(text, sizeof(text), "%.*s; %.*s", (int)(sizeof(text) - strlen(tail) - 3), j->message, TAIL - 1,
                   tail);
    (void)snprintf(j->message, sizeof(j->message), "%s", text);
}

static void append_words(struct release *release, const char *before, const char *what)
{
    char tail[TAIL];

    (void)snprintf(tail, sizeof(tail), "%.70s%s", before, HF_CUT(110, what));
    append(release, tail);
}

static const char *old_version(const struct release *release)
{
    return release->j.from[0] != '\0' ? release->j.from : "the old version";
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* Tries the release again if it was never judged, because somebody changed the target in its probation: up to a number
 * of times, and always if it is the repair of the committed one, with the pauses of drift. */
static void conclude(struct release *release)
{
    const struct hf_journal *j = &release->j;
    bool repairs = strcmp(j->digest, j->good_digest) == 0;

    assert(j->phase == HF_PHASE_ROLLING_BACK);
    if (j->changes == 0 || j->reason == HF_R_RollbackFailed || (j->changes >= HF_UPDATE_MAX_CHANGES && !repairs)) {
        transition_event(release, HF_EV_RESTORED, HF_R_None, NULL);
        return;
    }
    retry_back_off(release, j->reason, repairs ? repairs_pause_ns(release) : again_ns << (j->changes - 1));
    transition_event(release, HF_EV_UNDONE, HF_R_None, NULL);
}

static int run_confirm(struct step_job *step)
{
    return hf_swap_is_undone(&step->swap, &step->failure);
}

/* The status may claim the old version only if it is there. */
static void confirmed(struct release *release, struct step_job *step)
{
    assert(release->j.reason != HF_R_RollbackFailed); /* that one is not looked at again */
    if (step->job.r > 0) {
        append(release, step->ending);
    } else if (step->job.r == 0 && !release->j.had_old) {
        append_words(release, "what somebody else put there stays", "");
    } else {
        release->j.reason = HF_R_RollbackFailed;
        if (step->job.r < 0)
            append_words(release, "whether the old version is back is unknown: ", step->failure.err.cause);
        else
            append_words(release, "somebody has changed what is installed: it is not ", old_version(release));
    }
    conclude(release);
}

static void restored(struct release *release, const char *before, const char *what, const char *after)
{
    char tail[TAIL];

    (void)snprintf(tail, sizeof(tail), "%.50s%s%.30s", before, HF_CUT(110, what), after);
    if (release->j.reason == HF_R_RollbackFailed) {
        append(release, tail);
        conclude(release);
        return;
    }
    struct step_job *step = step_new(release, STEP_CONFIRM, run_confirm, confirmed);
    if (step == NULL) {
        transition_no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = step_swap_params(release, step);
    memcpy(step->ending, tail, sizeof(tail));
    step_submit(step);
}

/* ---- the old version runs again ---------------------------------------------------------------------------------- */

static void restored_quietly(struct release *release)
{
    restored(release, "", release->j.had_old ? old_version(release) : "nothing",
             release->j.had_old ? " is back" : " is installed, as before");
}

static void checked_old(void *arg, const struct hf_health *health)
{
    struct release *release = arg;

    release->step.checks = NULL;
    step_end(release);
    if (health->verdict == HF_HEALTH_PASSED)
        restored_quietly(release);
    else
        restored(release, "the old version is back and fails too: ", health->message, "");
}

static void check_old(struct release *release)
{
    assert(release->j.probed); /* what never ran disturbed nothing */
    if (release->j.had_old)
        service_check(release, &release->wanted.accepted->release, checked_old);
    else
        restored_quietly(release);
}

static void restarted_old(void *arg, int r, const struct hf_failure *failure)
{
    struct release *release = arg;

    release->step.restart = NULL;
    step_end(release);
    if (r == 0 || !release->j.had_old) /* after a first install nothing is left to run: the restart stopped it */
        check_old(release);
    else
        restored(release, "the old version is back but was not restarted: ", failure->err.cause, "");
}

/* ---- the agent itself -------------------------------------------------------------------------------------------- */

static void restarted_agent(void *arg, int r, const struct hf_failure *failure)
{
    struct release *release = arg;
    struct release_attempt *attempt = &release->attempt;

    release->step.restart = NULL;
    step_end(release);
    hf_steer_core_wake(&release->engine->core);
    if (r == 0)
        return;
    if (failure->reason == HF_R_SystemdUnavailable && ++attempt->restart_tries < MAX_RESTART_TRIES) {
        attempt->owes_restart = true;
        release->retry.due_ns = hf_mono_ns(release->engine->p.world.clock) + restart_again_ns;
        return;
    }
    append_words(release, "but the agent still runs the new version: ", failure->err.cause);
    transition_message(release);
}

void rollback_restart_agent(struct release *release)
{
    /* A process that starts in RollingBack would roll back and restart again, and so would the next one. */
    assert(release->j.phase != HF_PHASE_ROLLING_BACK && release->record.written.phase != HF_PHASE_ROLLING_BACK);
    release->attempt.owes_restart = false;
    service_restart(release, restarted_agent);
}

/* Without an old version the unit may have nothing to start, and nobody would start the agent again. */
static void restored_agent(struct release *release)
{
    assert(release->j.probed && !release->attempt.owes_restart);
    if (release->j.reason == HF_R_AgentFailed) { /* the supervisor has started the old version */
        restored(release, "", old_version(release), " is back");
        return;
    }
    release->attempt.owes_restart = release->j.had_old;
    release->attempt.restart_tries = 0;
    if (release->j.had_old)
        restored(release, "", old_version(release), " is back; the agent restarts");
    else
        restored(release, "", "nothing is installed, as before, and the agent was not restarted", "");
}

/* ---- undoing the swap -------------------------------------------------------------------------------------------- */

static int run_undo(struct step_job *step)
{
    return hf_swap_undo(&step->swap, &step->failure);
}

static void undo_failed(struct release *release, struct hf_failure *failure)
{
    if (failure->reason ==
        HF_R_RollbackFailed) { /* no later try can help: end here, so that the next release may start */
        release->j.reason = HF_R_RollbackFailed;
        restored(release, "", failure->err.cause, "");
        return;
    }
    hf_steer_core_leave_turn(&release->engine->core, &release->machine); /* other releases may run meanwhile */
    retry_back_off(release, failure->reason, 0);
    if (release->j.probed)
        failure->reason = HF_R_RollbackFailed;
    transition_failure(release, HF_EV_FAILED, failure);
}

static void reboot_old(struct release *release)
{
    enum boots_back back = boots_go_back(release);

    if (back == BOOTS_NEVER)
        restored(release, "", "the old version is back, but the node did not reboot", "");
    else if (back == BOOTS_DONE)
        check_old(release);
}

static void undone(struct release *release, struct step_job *step)
{
    if (step->job.r < 0) {
        undo_failed(release, &step->failure);
    } else if (!release->j.probed) {
        retry_back_off(release, release->j.reason, 0);
        transition_event(release, HF_EV_UNDONE, HF_R_None, NULL);
    } else if (release->wanted.accepted == NULL) {
        restored(release, "", "the old version is back but was not restarted", "");
    } else if (release->j.boots.happened) {
        reboot_old(release);
    } else if (service_is_agent(release)) {
        restored_agent(release);
    } else if (service_has_restart(release)) {
        service_restart(release, restarted_old);
    } else {
        check_old(release);
    }
}

/* A failure is told, and does not stop the rollback. */
static void hooked(struct release *release, int r, const struct hf_failure *failure)
{
    assert(release->j.phase == HF_PHASE_ROLLING_BACK && !release->attempt.rollback_told);
    release->attempt.rollback_told = true;
    if (r < 0)
        append_words(release, "", failure->err.cause);
    rollback_start(release);
}

void rollback_start(struct release *release)
{
    bool told = release->attempt.rollback_told || (release->j.boots.happened && release->j.boots.changed[0] != '\0');

    if (release->j.probed && !told && hooks_start(release, HF_HOOK_BEFORE_ROLLBACK, hooked))
        return;
    struct step_job *step = step_new(release, STEP_UNDO, run_undo, undone);

    if (step == NULL) {
        transition_no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = step_swap_params(release, step);
    step_submit(step);
}
