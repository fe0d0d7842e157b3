/* SPDX-License-Identifier: Apache-2.0 */
/* A release's step in progress: jobs on workers, and how each kind of step is stopped. */
#include <errno.h>
#include <stdlib.h>

#include "loop/unit.h"
#include "update/release.h"

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

static void do_step(struct hf_job *job)
{
    struct step_job *step = hf_container_of(job, struct step_job, job);

    step->r = step->run(step);
}

static void step_free(struct step_job *step)
{
    if (step == NULL)
        return;
    hf_buf_done(&step->text);
    hf_edgeupdate_free(step->committed);
    free(step);
}

static void finish_job(struct step_job *step)
{
    struct release *release = step->release;
    struct hf_update_engine *engine = release->engine;

    step_end(release);
    release->step.job = NULL;
    if (engine->state != ENGINE_CLOSING)
        step->then(release, step);
    step_free(step);
    update_engine_unref(engine);
}

static void step_done(struct hf_job *job, int cancelled)
{
    struct step_job *step = hf_container_of(job, struct step_job, job);

    if (cancelled)
        step->r = hf_failure_sys(&step->failure, -ECANCELED, "work");
    finish_job(step);
}

struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step))
{
    struct step_job *step = calloc(1, sizeof(*step));

    if (step == NULL)
        return NULL;
    step->job = (struct hf_job){.work = do_step, .done = step_done};
    step->release = release;
    step->kind = kind;
    step->run = run;
    step->then = then;
    step->text.max = HF_JOURNAL_MAX_BYTES;
    return step;
}

void step_discard(struct step_job *step)
{
    step_free(step);
}

void step_submit(struct step_job *step)
{
    const struct hf_sched_ops *sched = step->release->engine->p.sched;
    struct release *release = step->release;

    step_begin(release, step->kind);
    release->step.job = step;
    update_engine_ref(release->engine);
    /* Not into step->r: the worker may have written its result there by now. */
    int r = sched->submit(sched->ctx, &step->job);
    if (r < 0) {
        step->r = hf_failure_sys(&step->failure, r, "hand work to a worker");
        step->failure.reason = HF_R_RetryingLater;
        finish_job(step);
    }
}

/* ---- any step ---------------------------------------------------------------------------------------------------- */

void step_begin(struct release *release, enum step_kind kind)
{
    release->step.kind = kind;
    release->step.stopping = false;
}

void step_end(struct release *release)
{
    release->step.kind = STEP_NONE;
}

void step_stop(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;
    struct release_step *step = &release->step;

    if (step->stopping)
        return;
    step->stopping = true;
    if (step->kind == STEP_UNIT) {
        unit->cancel(unit->ctx, step->unit_call);
        step->unit_call = NULL;
        step->stopping = false;
        step_end(release);
        update_engine_leave_turn(release);
        update_engine_wake(release->engine);
    } else if (step->fetch != NULL) {
        hf_fetch_stop(step->fetch);
    } else if (step->job != NULL) {
        atomic_store(&step->job->cancel, true);
    }
}

static void fetch_gone(void *arg)
{
    update_engine_unref(arg);
}

void step_drop(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;
    struct release_step *step = &release->step;

    if (step->unit_call != NULL)
        unit->cancel(unit->ctx, step->unit_call);
    hf_restart_free(step->restart);
    hf_checks_free(step->checks);
    step->unit_call = NULL;
    step->restart = NULL;
    step->checks = NULL;
    if (step->job != NULL)
        atomic_store(&step->job->cancel, true);
    if (step->fetch != NULL)
        hf_fetch_free(step->fetch, fetch_gone, release->engine);
    step->fetch = NULL;
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

struct hf_target step_target(const struct release *release)
{
    const struct hf_update_engine *engine = release->engine;

    return (struct hf_target){.fs = engine->p.fs,
                              .roots = engine->p.roots,
                              .host_root = engine->p.host_root,
                              .path = release->j.path,
                              .release = release->j.name,
                              .uid = engine->p.uid,
                              .guard = engine->p.uid == 0};
}

struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step)
{
    const struct hf_edgeupdate *accepted = release->wanted.accepted;
    const struct hf_journal *j = &release->j;

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
                                   .cancel = &step->cancel};
}
