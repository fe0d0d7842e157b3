/* SPDX-License-Identifier: Apache-2.0 */
/* Probation: restart the service with the new version and let the health checks decide.
 *
 * A release with health.probationBoots is judged again, once in each of so many boots after its commit, behind a newer
 * release that waits, too. The checks and the state of the unit are facts of rules/boots.h; before the verdict Bad
 * counts, what is installed is compared with the release. Nothing is durable before a verdict, so a power cut in
 * between leaves the boot unjudged. A verdict is one write of the journal (boots.c), and order.c goes back. */
#include "update/release.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "loop/unit.h"
#include "update/rules/boots.h"
#include "update/state/committed.h"

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
    release->retry.due_ns = hf_mono_ns(release->engine->p.world.clock) + restart_again_ns;
    hf_steer_core_wake(&release->engine->core);
}

static void confirmed(struct release *release, struct step_job *step)
{
    bool passed = step->health.verdict == HF_HEALTH_PASSED;

    assert(release->j.phase == HF_PHASE_PROBATION && release->j.probed);
    if (step->job.r == 0) {
        target_changed(release, step->look.seen.what);
    } else if (!passed) {
        fail(release, step->health.reason, step->health.message);
    } else if (step->job.r > 0) {
        transition_event(release, HF_EV_HEALTHY, step->health.reason, step->health.message);
    } else if (++release->attempt.restart_tries < MAX_RESTART_TRIES) {
        hf_log_err(release->engine->p.world.log, HF_LOG_WARNING, "update.look", "release", release->j.name,
                   &step->failure.err);
        again(release);
    } else {
        fail(release, step->failure.reason, HF_ERR_TEXT(&step->failure.err));
    }
}

static void confirm(struct release *release, const struct hf_health *health)
{
    assert(release->j.phase == HF_PHASE_PROBATION && release->j.probed);
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
    assert(!release->j.hooked && !release->j.restarted); /* the hook comes before the service runs the new version */
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
        service_check(release, &release->wanted.accepted->release, checked);
}

/* ---- after a boot ------------------------------------------------------------------------------------------------ */

static const uint64_t boot_unsure_ns = 600 * HF_NS_PER_S, boot_unit_timeout_ns = 10 * HF_NS_PER_S;

struct boot_judging {
    struct hf_edgeupdate *object; /* the committed release */
    struct hf_health health;
    enum hf_boot_unit unit;
    char state[64]; /* of the unit, for people */
};

void probation_done(struct release *release)
{
    if (release->judging != NULL)
        hf_edgeupdate_free(release->judging->object);
    free(hf_steal(release->judging));
}

static bool is_this_boot_judged(const struct release *release)
{
    const char *boot = release->engine->boot;

    /* An unknown boot is never another one. */
    return boot[0] == '\0' || strcmp(release->j.boots.judged, boot) == 0;
}

/* No update is in progress, a repair included; a newer release may wait. */
static bool may_judge(const struct release *release)
{
    const struct hf_journal *j = &release->j;
    bool waits = j->phase == HF_PHASE_WAITING || j->phase == HF_PHASE_VERIFIED;

    return hf_phase_rests(j->phase) || (waits && strcmp(j->digest, j->good_digest) != 0);
}

static enum hf_boot_verdict judge(const struct release *release, enum hf_boot_health health, enum hf_boot_unit unit)
{
    const struct hf_boot_facts facts = {
        .left = release->j.boots.left,
        .judged = is_this_boot_judged(release),
        .watchdog_bit = release->engine->watchdog,
        .watchdog_then = release->j.boots.watchdog,
        .health = health,
        .unit = unit,
    };

    return hf_boot_judge(&facts);
}

static void judge_later(struct release *release, const char *why)
{
    probation_done(release);
    release->drift.boot_due_ns = hf_mono_ns(release->engine->p.world.clock) + boot_unsure_ns;
    hf_log(release->engine->p.world.log, HF_LOG_INFO, "update.boot.unsure", HF_S("release", release->j.name),
           HF_S("message", why));
    hf_steer_core_wake(&release->engine->core);
}

static void conclude_boot(struct release *release, enum hf_boot_health health)
{
    const struct boot_judging *boot = release->judging;
    char why[HF_UPDATE_MAX_MESSAGE];

    assert(strcmp(boot->object->release.digest, release->j.good_digest) == 0);
    assert(may_judge(release));
    (void)snprintf(why, sizeof(why), "after a reboot the unit is %.63s, and %s", boot->state,
                   HF_CUT(150, boot->health.message));
    switch (judge(release, health, boot->unit)) {
    case HF_BOOT_GOOD:
        boots_passed(release);
        break;
    case HF_BOOT_BAD:
        boots_failed(release, why);
        break;
    default:
        judge_later(release, why);
        return;
    }
    probation_done(release);
}

/* Somebody else's file says nothing about the release: the look for drift repairs it, and the next check judges. */
static void boot_confirmed(struct release *release, struct step_job *step)
{
    if (step->job.r > 0) {
        conclude_boot(release, HF_BOOT_ILL);
        return;
    }
    release->drift.look_wanted = true;
    judge_later(release, step->job.r == 0 ? step->look.seen.what : step->failure.err.cause);
}

static void confirm_boot(struct release *release)
{
    struct step_job *step = step_new(release, STEP_CONFIRM, drift_run_committed, boot_confirmed);

    if (step == NULL) {
        judge_later(release, "no memory");
        return;
    }
    step->swap = step_swap_params(release, step);
    step->look = release->drift.look;
    memcpy(step->committed_digest, release->j.good_digest, sizeof(step->committed_digest));
    step_submit(step);
}

static void boot_unit_seen(void *arg, int r, const char *active_state, const char *sub_state, const struct hf_err *err)
{
    struct release *release = arg;
    struct boot_judging *boot = release->judging;

    release->step.unit_call = NULL;
    step_end(release);
    boot->unit = r == 0 ? hf_boot_unit_of(active_state, sub_state) : HF_BOOT_UNIT_UNKNOWN;
    (void)snprintf(boot->state, sizeof(boot->state), "%.20s (%.35s)", r == 0 ? active_state : "unknown",
                   r == 0        ? sub_state
                   : err != NULL ? err->cause
                                 : strerror(-r));
    if (judge(release, HF_BOOT_ILL, boot->unit) == HF_BOOT_BAD)
        confirm_boot(release);
    else
        conclude_boot(release, HF_BOOT_ILL);
}

static void boot_checked(void *arg, const struct hf_health *health)
{
    struct release *release = arg;
    const struct hf_unit_ops *unit = release->engine->p.unit;
    const char *name = hf_release_unit(&release->judging->object->release);
    struct hf_err err = HF_ERR_INIT;

    release->step.checks = NULL;
    step_end(release);
    release->judging->health = *health;
    if (health->verdict == HF_HEALTH_PASSED) {
        conclude_boot(release, HF_BOOT_HEALTHY);
        return;
    }
    if (health->n == 0 || name == NULL) { /* they could not start */
        judge_later(release, health->message);
        return;
    }
    step_begin(release, STEP_CHECKS);
    int r = unit->state(unit->ctx, name, boot_unit_timeout_ns, boot_unit_seen, release, &release->step.unit_call, &err);
    if (r < 0)
        boot_unit_seen(release, r, "", "", &err);
}

/* As review_ask() would judge it now: keys may be gone, or its programs forbidden. */
static bool is_accepted(struct release *release, struct hf_edgeupdate *committed)
{
    struct hf_edgeupdate *wanted = release->wanted.object;
    const char *message;
    enum hf_reason reason;

    release->wanted.object = committed;
    release->review.current = false;
    enum hf_gate_verdict verdict = review_ask(release, &reason, &message);
    release->wanted.object = wanted;
    release->review.current = false;
    return verdict == HF_GATE_GO || verdict == HF_GATE_WAIT;
}

static int run_load_committed(struct step_job *step)
{
    return hf_committed_load(step->release->engine->p.world.fs, step->release->folder, step->committed_digest,
                             &step->committed, &step->failure.err);
}

static void committed_loaded(struct release *release, struct step_job *step)
{
    if (step->job.r < 0 || !is_accepted(release, step->committed)) {
        judge_later(release, step->job.r < 0 ? step->failure.err.cause : "the release is not accepted any more");
        return;
    }
    assert(release->judging == NULL); /* one verdict at a time */
    release->judging = calloc(1, sizeof(*release->judging));
    if (release->judging == NULL) {
        judge_later(release, "no memory");
        return;
    }
    release->judging->object = step->committed;
    step->committed = NULL;
    service_check(release, &release->judging->object->release, boot_checked);
}

static bool load_committed(struct release *release)
{
    struct step_job *step = step_new(release, STEP_CONFIRM, run_load_committed, committed_loaded);

    if (step == NULL) {
        judge_later(release, "no memory");
        return false;
    }
    memcpy(step->committed_digest, release->j.good_digest, sizeof(step->committed_digest));
    step_submit(step);
    return true;
}

/* A repair of what is installed goes first, since the checks may take as long as their deadline. */
static bool drift_goes_first(const struct release *release)
{
    const struct release_drift *drift = &release->drift;

    return release->j.phase == HF_PHASE_COMMITTED && drift->look_wanted && !wanted_held(release) &&
           hf_mono_ns(release->engine->p.world.clock) >= drift->look_due_ns;
}

bool probation_after_boot(struct release *release)
{
    if (!may_judge(release) || drift_goes_first(release) ||
        hf_mono_ns(release->engine->p.world.clock) < release->drift.boot_due_ns)
        return false;
    switch (judge(release, HF_BOOT_UNCHECKED, HF_BOOT_UNIT_UNKNOWN)) {
    case HF_BOOT_CHECK:
        return load_committed(release);
    case HF_BOOT_BAD:
        boots_failed(release, "the hardware's watchdog has reset the node");
        return true;
    default:
        return false;
    }
}
