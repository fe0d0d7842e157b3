/* Verdict: probation, the way back, and what is done at an end. */
#include <errno.h>
#include <string.h>

#include "update/release.h"
#include "update/state/fetch_record.h"
#include "update/state/floor.h"

enum { MAX_RESTART_TRIES = 10, MAX_CLEAN_TRIES = 5 };
enum { MAX_DRIFT_SHIFT = 9 }; /* 2^9 minutes: who fights over a file has most of a working day between two rounds */
static const uint64_t fight_ns = 60 * HF_NS_PER_S;
static const uint64_t again_ns = 10 * HF_NS_PER_S, restart_again_ns = 3 * HF_NS_PER_S;

/* ---- probation -------------------------------------------------------------------------------------------------------- */

static bool has_restart(const struct release *release)
{
    const struct hf_install *install = &release->update->release.install;

    return install->restart_unit != NULL || install->restart_exec[0] != NULL;
}

static void begin_checks(struct release *release, void (*done)(void *arg, const struct hf_health *health))
{
    const struct hf_update_params *p = &release->engine->p;
    const struct hf_release *spec = &release->update->release;
    struct hf_checks_params params = {.clock = p->clock,
                                      .sched = p->sched,
                                      .http = p->http,
                                      .proc = p->proc,
                                      .probe = p->probe,
                                      .unit = p->unit,
                                      .checks = spec->checks,
                                      .n = spec->n_checks,
                                      .deadline_ns = spec->health_deadline_ns,
                                      .done = done,
                                      .arg = release};
    struct hf_err err = HF_ERR_INIT;

    release->step = STEP_CHECKS;
    if (hf_checks_start(&params, &release->checks, &err) == 0)
        return;
    release->step = STEP_NONE;
    struct hf_health health = {.verdict = HF_HEALTH_FAILED, .reason = HF_R_HealthFailed};
    (void)hf_err_text(&err, health.message, sizeof(health.message));
    done(release, &health);
}

static void checked(void *arg, const struct hf_health *health)
{
    struct release *release = arg;

    release->checks = NULL;
    release->step = STEP_NONE;
    release_event(release, health->verdict == HF_HEALTH_PASSED ? HF_EV_HEALTHY : HF_EV_UNHEALTHY, health->reason,
                  health->message);
}

static void restarted(void *arg, int r, const struct hf_failure *failure)
{
    struct release *release = arg;

    release->restart = NULL;
    release->step = STEP_NONE;
    if (r == 0) {
        release->j.restarted = true;
        release_event(release, HF_EV_RESTARTED, HF_R_HealthPending, NULL);
        return;
    }
    /* Nobody to ask is no verdict about the new version: systemd may be executing itself anew. */
    if (failure->reason == HF_R_SystemdUnavailable && ++release->restart_tries < MAX_RESTART_TRIES) {
        release->due_ns = hf_mono_ns(release->engine->p.clock) + restart_again_ns;
        engine_poke(release->engine);
        return;
    }
    release_failure(release, HF_EV_UNHEALTHY, failure);
}

static void begin_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure))
{
    const struct hf_update_params *p = &release->engine->p;
    struct hf_failure failure = {.reason = HF_R_RestartFailed};

    release->step = STEP_RESTART;
    int r = hf_restart_start(p->proc, p->unit, &release->update->release.install, done, release, &release->restart,
                             &failure);
    if (r < 0) {
        release->step = STEP_NONE;
        done(release, r, &failure);
    }
}

void step_probe(struct release *release)
{
    if (release->update == NULL)
        release_event(release, HF_EV_UNHEALTHY, HF_R_JournalDamaged, NULL);
    else if (has_restart(release) && !release->j.restarted)
        begin_restart(release, restarted);
    else
        begin_checks(release, checked);
}

/* ---- back ------------------------------------------------------------------------------------------------------------- */

/* Why it was rolled back stays the reason; what became of the old version goes behind the message. */
static void restored(struct release *release, const char *before, const char *what, const char *after)
{
    struct hf_journal *j = &release->j;
    char text[HF_UPDATE_MAX_MESSAGE], tail[150];

    (void)snprintf(tail, sizeof(tail), "%.50s%.64s%.30s", before, what, after);
    (void)snprintf(text, sizeof(text), "%.*s; %s", (int)(sizeof(text) - strlen(tail) - 3), j->message, tail);
    (void)snprintf(j->message, sizeof(j->message), "%s", text);
    release_event(release, HF_EV_RESTORED, HF_R_None, NULL);
}

static void restored_quietly(struct release *release)
{
    const char *from = release->j.from[0] != '\0' ? release->j.from : "the old version";

    restored(release, "", release->j.had_old ? from : "nothing",
             release->j.had_old ? " is back" : " is installed, as before");
}

static void checked_old(void *arg, const struct hf_health *health)
{
    struct release *release = arg;

    release->checks = NULL;
    release->step = STEP_NONE;
    if (health->verdict == HF_HEALTH_PASSED)
        restored_quietly(release);
    else
        restored(release, "the old version is back and fails too: ", health->message, "");
}

static void look_at_old(struct release *release)
{
    if (release->j.had_old)
        begin_checks(release, checked_old);
    else
        restored_quietly(release);
}

static void restarted_old(void *arg, int r, const struct hf_failure *failure)
{
    struct release *release = arg;

    release->restart = NULL;
    release->step = STEP_NONE;
    if (r == 0 || !release->j.had_old) /* after a first install there is nothing to run: stopping it was the point */
        look_at_old(release);
    else
        restored(release, "the old version is back but was not restarted: ", failure->err.cause, "");
}

static int run_undo(struct step_job *step)
{
    return hf_swap_undo(&step->swap, &step->failure);
}

static void undone(struct release *release, struct step_job *step)
{
    if (step->r < 0 && step->failure.reason != HF_R_RollbackFailed) {
        engine_leave(release); /* others may go on meanwhile */
        release_back_off(release, step->failure.reason, 0);
        if (release->j.probed)
            step->failure.reason = HF_R_RollbackFailed;
        release_failure(release, HF_EV_FAILED, &step->failure);
        return;
    }
    if (step->r < 0) { /* nothing can bring it back: say so, and let the next release help */
        release->j.reason = HF_R_RollbackFailed;
        restored(release, "", step->failure.err.cause, "");
        return;
    }
    if (!release->j.probed) {
        release_back_off(release, release->j.reason, 0);
        release_event(release, HF_EV_UNDONE, HF_R_None, NULL);
    } else if (release->update == NULL) {
        restored(release, "", "the old version is back, not restarted", "");
    } else if (has_restart(release)) {
        begin_restart(release, restarted_old);
    } else {
        look_at_old(release);
    }
}

void step_roll_back(struct release *release)
{
    struct step_job *step = step_new(release, STEP_UNDO, run_undo, undone);

    if (step == NULL) {
        step_no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = step_swap(release, step);
    step_submit(step);
}

/* ---- ends ------------------------------------------------------------------------------------------------------------- */

static int run_clean(struct step_job *step)
{
    struct release *release = step->release;
    int r = step->swap.target.path[0] != '\0' ? hf_swap_clean(&step->swap, &step->failure) : 0;

    /* Where the path itself is refused nothing was ever put. */
    if (r == -EACCES && step->failure.reason == HF_R_PathNotAllowed)
        r = 0;
    if (r == 0)
        r = hf_attempt_end(release->engine->p.fs, release->folder, &step->failure.err);
    if (r < 0)
        return r;
    return hf_fetch_record_remove(release->engine->p.fs, release->folder, &step->failure.err);
}

static int run_commit(struct step_job *step)
{
    struct release *release = step->release;
    int r = hf_floor_raise(release->engine->p.fs, release->folder, step->sequence, &step->failure.err);

    if (r < 0)
        return r;
    step->sequence = 0; /* done */
    return run_clean(step);
}

static void ended(struct release *release, struct step_job *step)
{
    enum hf_update_action action = release->again;

    if (step->r < 0) {
        bool must = action == HF_ACT_COMMIT && step->sequence != 0;
        hf_log_err(release->engine->p.log, HF_LOG_WARNING, "update.clean", "release", release->j.name,
                   &step->failure.err);
        if (must || ++release->again_tries < MAX_CLEAN_TRIES) {
            release->due_ns = hf_mono_ns(release->engine->p.clock) + again_ns;
            engine_poke(release->engine);
            return;
        }
    } else if (action == HF_ACT_COMMIT) {
        release->floor = HF_MAX(release->floor, release->j.good_sequence);
    }
    release->again = HF_ACT_NONE;
    release->again_tries = 0;
    release->due_ns = 0;
    engine_changed(release->engine);
    engine_poke(release->engine);
}

void step_end(struct release *release, enum hf_update_action action)
{
    struct step_job *step = step_new(release, action == HF_ACT_COMMIT ? STEP_COMMIT : STEP_CLEAN,
                                     action == HF_ACT_COMMIT ? run_commit : run_clean, ended);

    release->again = action;
    if (step == NULL) {
        release->due_ns = hf_mono_ns(release->engine->p.clock) + again_ns;
        engine_poke(release->engine);
        return;
    }
    step->swap = step_swap(release, step);
    step->sequence = release->j.good_sequence;
    step_submit(step);
}

/* ---- drift ------------------------------------------------------------------------------------------------------------ */

static int run_look(struct step_job *step)
{
    return hf_swap_check(&step->swap, &step->look, &step->failure);
}

/* The first repair is free: looked for whenever asked. Each that follows soon doubles the time to the next look; each look that
 * then finds nothing wrong halves it. */
static void count_drift(struct release *release, bool drifted)
{
    if (drifted)
        release->drifts++;
    else if (release->drifts > 0)
        release->drifts--;
    release->look_due_ns = 0;
    if (release->drifts > 0)
        release->look_due_ns =
            hf_mono_ns(release->engine->p.clock) + (fight_ns << HF_MIN(release->drifts - 1, (unsigned)MAX_DRIFT_SHIFT));
}

static void looked(struct release *release, struct step_job *step)
{
    release->look = step->look;
    if (step->r > 0)
        count_drift(release, false);
    if (step->r < 0) {
        hf_log_err(release->engine->p.log, HF_LOG_WARNING, "update.look", "release", release->j.name,
                   &step->failure.err);
    } else if (step->r == 0 && release_wants(release) && release->gate == HF_GATE_OPEN) {
        count_drift(release, true);
        release_drifted(release);
        return;
    }
    engine_poke(release->engine);
}

void step_look(struct release *release)
{
    struct step_job *step = step_new(release, STEP_LOOK, run_look, looked);

    release->look_wanted = false;
    if (step == NULL)
        return;
    step->swap = step_swap(release, step);
    step->look = release->look;
    step_submit(step);
}
