/* SPDX-License-Identifier: Apache-2.0 */
/* A release's step in progress: its jobs on workers, and how each kind of step is stopped. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "loop/unit.h"
#include "share/share.h"
#include "update/release.h"

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

static struct step_job *of(struct hf_steer_job *job)
{
    return hf_container_of(job, struct step_job, job);
}

static int run(struct hf_steer_job *job)
{
    return of(job)->run(of(job));
}

static void lost(struct hf_steer_job *job, int r, const char *what)
{
    struct step_job *step = of(job);

    (void)hf_failure_sys(&step->failure, r, "%s", what);
    step->failure.reason = HF_R_RetryingLater;
}

static void then(struct hf_steer_job *job)
{
    of(job)->then(of(job)->release, of(job));
}

static void free_step(struct hf_steer_job *job)
{
    step_discard(of(job));
}

struct step_job *step_new(struct release *release, enum step_kind kind, int (*run_step)(struct step_job *step),
                          void (*then_step)(struct release *release, struct step_job *step))
{
    static const struct hf_steer_operation operation = {.run = run, .lost = lost, .then = then, .free = free_step};
    struct step_job *step = calloc(1, sizeof(*step));

    if (step == NULL)
        return NULL;
    hf_steer_job_init(&step->job, &operation, &release->machine);
    step->release = release;
    step->kind = kind;
    step->run = run_step;
    step->then = then_step;
    step->text.max = HF_JOURNAL_MAX_BYTES;
    step->folders.max = 1 << 20;
    return step;
}

void step_discard(struct step_job *step)
{
    if (step == NULL)
        return;
    hf_buf_done(&step->text);
    hf_buf_done(&step->folders);
    hf_edgeupdate_free(step->committed);
    free(step);
}

void step_submit(struct step_job *step)
{
    step_begin(step->release, step->kind);
    hf_steer_job_submit(&step->job);
}

/* ---- any step ---------------------------------------------------------------------------------------------------- */

bool step_is_in_progress(const struct release *release)
{
    return release->step.kind != STEP_NONE || release->machine.job != NULL;
}

void step_begin(struct release *release, enum step_kind kind)
{
    assert(!step_is_in_progress(release));
    release->step.kind = kind;
    release->step.stopping = false;
}

void step_end(struct release *release)
{
    assert(release->step.fetch == NULL && release->step.unit_call == NULL && release->step.hook == NULL);
    assert(release->step.restart == NULL && release->step.checks == NULL);
    release->step.kind = STEP_NONE;
}

void step_stop(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;
    struct release_step *step = &release->step;

    /* From the swap on, an update runs to its end. */
    assert(step_is_in_progress(release) && (release->j.phase < HF_PHASE_VERIFIED || step->kind == STEP_INSPECT));
    if (step->stopping)
        return;
    step->stopping = true;
    if (step->kind == STEP_UNIT) {
        unit->cancel(unit->ctx, step->unit_call);
        step->unit_call = NULL;
        step->stopping = false;
        step_end(release);
        hf_steer_core_leave_turn(&release->engine->core, &release->machine);
        hf_steer_core_wake(&release->engine->core);
    } else if (step->kind == STEP_ASK) {
        hf_share_hurry(release->engine->p.share, release->j.sha256);
    } else if (step->fetch != NULL) {
        hf_fetch_stop(step->fetch);
    } else {
        hf_steer_job_cancel(release->machine.job);
    }
}

static void fetch_gone(void *arg)
{
    hf_steer_core_unref(arg);
}

void step_drop(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;
    struct release_step *step = &release->step;

    if (step->unit_call != NULL)
        unit->cancel(unit->ctx, step->unit_call);
    hf_restart_free(step->restart);
    hf_checks_free(step->checks);
    hf_command_free(step->hook);
    hf_share_end(release->engine->p.share, release->j.sha256);
    step->hook = NULL;
    step->unit_call = NULL;
    step->restart = NULL;
    step->checks = NULL;
    hf_steer_job_cancel(release->machine.job);
    if (step->fetch != NULL)
        hf_fetch_free(step->fetch, fetch_gone, &release->engine->core);
    step->fetch = NULL;
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

struct hf_target step_target(const struct release *release)
{
    const struct hf_journal *j = &release->j;

    return self_target_of(release->engine, j->kind, j->path, j->name);
}

struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step)
{
    const struct hf_edgeupdate *accepted = release->wanted.accepted;
    const struct hf_journal *j = &release->j;

    assert(j->had_old || (j->old_sha256[0] == '\0' && j->old_link[0] == '\0'));
    assert(j->kind == HF_INSTALL_FILE ? j->old_link[0] == '\0' : j->old_sha256[0] == '\0');
    return (struct hf_swap_params){.target = step_target(release),
                                   .kind = j->kind,
                                   .sha256 = j->sha256,
                                   .records = release->folder,
                                   .has_mode = accepted != NULL && accepted->release.install.has_mode,
                                   .mode = accepted != NULL ? accepted->release.install.mode : 0,
                                   .had_old = j->had_old,
                                   .old_sha256 = j->old_sha256,
                                   .old_link = j->old_link,
                                   .made_folder = j->made_folder,
                                   .probed = j->probed,
                                   .committed = j->good_digest[0] != '\0',
                                   .recheck = release->attempt.recheck,
                                   .cancel = &step->job.cancel};
}

bool update_engine_has_turn(const struct release *release)
{
    return release->engine->core.active == &release->machine;
}
