/* SPDX-License-Identifier: Apache-2.0 */
/* Probation: restart the service with the new version and let the health checks decide. */
#include "update/release.h"

#include "base/encoding/cut.h"

enum { MAX_RESTART_TRIES = 10 };
static const uint64_t restart_again_ns = 3 * HF_NS_PER_S;

/* ---- what the verdict is about ----------------------------------------------------------------------------------- */

/* Somebody may have put the old file back, or another one: then the checks say nothing about the release, whatever
 * their result. So content, mode and owner are compared before it counts. */
static int run_confirm(struct step_job *step)
{
    return hf_swap_check(&step->swap, &step->look, &step->failure);
}

/* The rollback restores the old version. Then the update is tried again, a few times (rollback.c). */
static void target_changed(struct release *release, const char *what)
{
    struct hf_journal *j = &release->j;
    char text[HF_UPDATE_MAX_MESSAGE];

    (void)snprintf(text, sizeof(text), "'%.80s' changed during the probation: %s", j->path, HF_CUT(100, what));
    j->changes++;
    transition_event(release, HF_EV_UNHEALTHY, HF_R_TargetChanged, text);
}

static void fail(struct release *release, enum hf_reason reason, const char *message)
{
    release->j.changes = 0;
    transition_event(release, HF_EV_UNHEALTHY, reason, message);
}

static void again(struct release *release)
{
    release->retry.due_ns = hf_mono_ns(release->engine->p.clock) + restart_again_ns;
    update_engine_wake(release->engine);
}

static void confirmed(struct release *release, struct step_job *step)
{
    bool passed = step->health.verdict == HF_HEALTH_PASSED;
    char text[520];

    if (step->job.r == 0) {
        target_changed(release, step->look.seen.what);
    } else if (!passed) {
        fail(release, step->health.reason, step->health.message);
    } else if (step->job.r > 0) {
        transition_event(release, HF_EV_HEALTHY, step->health.reason, step->health.message);
    } else if (++release->attempt.restart_tries < MAX_RESTART_TRIES) {
        hf_log_err(release->engine->p.log, HF_LOG_WARNING, "update.look", "release", release->j.name,
                   &step->failure.err);
        again(release);
    } else {
        fail(release, step->failure.reason, hf_err_text(&step->failure.err, text, sizeof(text)));
    }
}

static void confirm(struct release *release, const struct hf_health *health)
{
    struct step_job *step = step_new(release, STEP_CONFIRM, run_confirm, confirmed);

    if (step == NULL) {
        again(release);
        return;
    }
    step->swap = step_swap_params(release, step);
    step->health = *health;
    step_submit(step);
}

static void confirm_failure(struct release *release, const struct hf_failure *failure)
{
    struct hf_health health = {.verdict = HF_HEALTH_FAILED, .reason = failure->reason};

    (void)hf_err_text(&failure->err, health.message, sizeof(health.message));
    confirm(release, &health);
}

/* ---- restart and checks ------------------------------------------------------------------------------------------ */

static void checked(void *arg, const struct hf_health *health)
{
    struct release *release = arg;

    release->step.checks = NULL;
    step_end(release);
    if (health->verdict != HF_HEALTH_PASSED || !self_trial_waits(release))
        confirm(release, health);
}

static void restarted(void *arg, int r, const struct hf_failure *failure)
{
    struct release *release = arg;

    release->step.restart = NULL;
    step_end(release);
    if (r == 0) {
        release->j.restarted = true;
        transition_event(release, HF_EV_RESTARTED, HF_R_HealthPending, NULL);
        return;
    }
    /* An unreachable systemd says nothing about the new version: it may be re-executing itself. */
    if (failure->reason == HF_R_SystemdUnavailable && ++release->attempt.restart_tries < MAX_RESTART_TRIES) {
        again(release);
        return;
    }
    confirm_failure(release, failure);
}

static void hooked(struct release *release, int r, const struct hf_failure *failure)
{
    if (r == 0) {
        release->j.hooked = true;
        transition_event(release, HF_EV_HOOKED, HF_R_None, NULL);
        return;
    }
    confirm_failure(release, failure);
}

void probation_start(struct release *release)
{
    if (release->wanted.accepted == NULL)
        transition_event(release, HF_EV_UNHEALTHY, HF_R_JournalDamaged, NULL);
    else if (self_trial_fails(release))
        return;
    else if (!release->j.hooked && hooks_start(release, HF_HOOK_AFTER_SWAP, hooked))
        return;
    else if (boots_go_first(release))
        return;
    else if (service_has_restart(release) && !release->j.restarted)
        service_restart(release, restarted);
    else
        service_check(release, checked);
}
