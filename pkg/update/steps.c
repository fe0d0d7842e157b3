/* Steps in general: handed to a worker, given what they need, stopped, dropped. */
#include <errno.h>

#include "update/release.h"

/* ---- jobs ------------------------------------------------------------------------------------------------------------- */

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
    free(step);
}

static void end_step(struct step_job *step)
{
    struct release *release = step->release;
    struct hf_update_engine *engine = release->engine;

    release->step = STEP_NONE;
    release->job = NULL;
    if (!engine->closing)
        step->then(release, step);
    step_free(step);
    engine_unref(engine);
}

static void step_done(struct hf_job *job, int cancelled)
{
    struct step_job *step = hf_container_of(job, struct step_job, job);

    if (cancelled)
        step->r = hf_failure_sys(&step->failure, -ECANCELED, "work");
    end_step(step);
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

    release->step = step->kind;
    release->job = step;
    release->stopping = false;
    engine_ref(release->engine);
    /* Not into step->r: the worker may have written there by now. */
    int r = sched->submit(sched->ctx, &step->job);
    if (r < 0) {
        step->r = hf_failure_sys(&step->failure, r, "hand work to a worker");
        step->failure.reason = HF_R_RetryingLater;
        end_step(step);
    }
}

struct hf_target step_target(const struct release *release)
{
    const struct hf_update_engine *engine = release->engine;

    return (struct hf_target){.fs = engine->p.fs,
                              .roots = engine->p.roots,
                              .host_root = engine->p.host_root,
                              .path = release->j.path,
                              .release = release->j.name};
}

struct hf_swap_params step_swap(const struct release *release, const struct step_job *step)
{
    const struct hf_journal *j = &release->j;

    return (struct hf_swap_params){.target = step_target(release),
                                   .kind = j->kind,
                                   .sha256 = j->sha256,
                                   .had_old = j->had_old,
                                   .old_sha256 = j->old_sha256,
                                   .old_link = j->old_link,
                                   .made_folder = j->made_folder,
                                   .probed = j->probed,
                                   .recheck = release->recheck,
                                   .cancel = &step->cancel};
}

void step_no_memory(struct release *release, enum hf_update_event event)
{
    struct hf_failure failure;

    (void)hf_failure_sys(&failure, -ENOMEM, "work");
    release_back_off(release, HF_R_RetryingLater, 0);
    release_failure(release, event, &failure);
}

/* ---- all -------------------------------------------------------------------------------------------------------------- */

void step_run(struct release *release, enum hf_update_action action)
{
    switch (action) {
    case HF_ACT_FETCH:
        step_fetch(release);
        break;
    case HF_ACT_PATCH:
        step_patch(release);
        break;
    case HF_ACT_SWAP:
        step_swap_in(release);
        break;
    case HF_ACT_PROBE:
        step_probe(release);
        break;
    case HF_ACT_ROLLBACK:
        step_roll_back(release);
        break;
    case HF_ACT_COMMIT:
    case HF_ACT_CLEAN:
        step_end(release, action);
        break;
    case HF_ACT_NONE:
    case HF_ACT_COUNT:
        break;
    }
}

void step_stop(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;

    if (release->stopping)
        return;
    release->stopping = true;
    if (release->step == STEP_UNIT) {
        unit->cancel(unit->ctx, release->unit_call);
        release->unit_call = NULL;
        release->step = STEP_NONE;
        release->stopping = false;
        engine_leave(release);
        engine_poke(release->engine);
    } else if (release->fetch != NULL) {
        hf_fetch_stop(release->fetch);
    } else if (release->job != NULL) {
        atomic_store(&release->job->cancel, true);
    }
}

static void fetch_gone(void *arg)
{
    engine_unref(arg);
}

void step_drop(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;

    if (release->unit_call != NULL)
        unit->cancel(unit->ctx, release->unit_call);
    hf_restart_free(release->restart);
    hf_checks_free(release->checks);
    release->unit_call = NULL;
    release->restart = NULL;
    release->checks = NULL;
    if (release->job != NULL)
        atomic_store(&release->job->cancel, true);
    if (release->fetch != NULL)
        hf_fetch_free(release->fetch, fetch_gone, release->engine);
    release->fetch = NULL;
}
