/* SPDX-License-Identifier: Apache-2.0 */
/* Drift: was the committed version changed or removed by somebody else? If so, install it again. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "update/release.h"
#include "update/state/committed.h"

static int run_look(struct step_job *step)
{
    const struct release *release = step->release;
    bool rotated;

    if (step->text.n > 0 && hf_committed_save(release->engine->p.world.fs, release->folder, hf_buf_view(&step->text),
                                              step->committed_digest, &rotated, NULL) < 0)
        step->committed_digest[0] = '\0'; /* the next look tries again */
    int r = hf_swap_check(&step->swap, &step->look, &step->failure);
    if (r > 0) {
        retain_keep(step, false);
        watches_find(step);
    }
    return r;
}

static void log_drift(const struct release *release, const char *event, const struct step_job *step)
{
    const struct hf_journal *j = &release->j;

    hf_log(release->engine->p.world.log, HF_LOG_WARNING, event, HF_S("release", j->name), HF_S("path", j->path),
           HF_S("message", step->look.seen.what));
}

/* Mode or owner were wrong and are right again; nothing has to be installed. */
static void mended(struct release *release, const struct step_job *step)
{
    log_drift(release, "update.mended", step);
    repairs_put_back(release, step->look.seen.what);
    transition_event(release, HF_EV_MENDED, HF_R_RightsRestored, step->look.seen.what);
}

static void looked(struct release *release, struct step_job *step)
{
    assert(release->j.phase == HF_PHASE_COMMITTED && strcmp(release->j.good_digest, release->j.digest) == 0);
    release->drift.look = step->look;
    watches_set(release, step, false);
    if (step->text.n > 0)
        memcpy(release->drift.kept, step->committed_digest, sizeof(release->drift.kept));
    if (step->job.r > 0)
        repairs_count(release, step->look.seen.mended > 0);
    if (step->job.r < 0) {
        hf_log_err(release->engine->p.world.log, HF_LOG_WARNING, "update.look", "release", release->j.name,
                   &step->failure.err);
    } else if (step->job.r == 0 && wanted_matches(release) && !wanted_held(release)) {
        log_drift(release, "update.drift", step);
        repairs_count(release, true);
        release->drift.look = (struct hf_swap_look){.size = 0};
        wanted_accept(release, HF_EV_DRIFTED, HF_R_Drifted);
        return;
    } else if (step->job.r > 0 && step->look.seen.mended > 0) {
        mended(release, step);
        return;
    }
    hf_steer_core_wake(&release->engine->core);
}

/* Keeps the committed release for the time when the journal records a newer one, once in the life of the process. */
static void keep_release(const struct release *release, struct step_job *step)
{
    _cleanup_(hf_json_freep) json_t *committed = NULL;

    memcpy(step->committed_digest, release->j.good_digest, sizeof(step->committed_digest));
    if (strcmp(release->drift.kept, release->j.good_digest) == 0)
        return;
    committed = wanted_committed(release);
    if (committed != NULL && hf_committed_format(committed, &step->text) < 0)
        hf_buf_clear(&step->text);
}

void drift_look(struct release *release)
{
    struct step_job *step = step_new(release, STEP_LOOK, run_look, looked);

    release->drift.look_wanted = release->drift.fired = false;
    if (step == NULL)
        return;
    step->swap = step_swap_params(release, step);
    step->look = release->drift.look;
    retain_prepare(release, step);
    keep_release(release, step);
    step_submit(step);
}

/* ---- behind a newer release -------------------------------------------------------------------------------------- */

/* The journal describes the newer release, so the parameters come from the committed one. */
int drift_run_committed(struct step_job *step)
{
    const struct release *release = step->release;
    const struct hf_update_params *p = &release->engine->p;
    int r =
        hf_committed_load(p->world.fs, release->folder, step->committed_digest, &step->committed, &step->failure.err);

    if (r < 0)
        return r;
    const struct hf_release *spec = &step->committed->release;
    if (!retain_take_committed(release, step->committed, &step->keep))
        return hf_err_set(&step->failure.err, EBADMSG, "the committed release has no artifact for %s", p->arch);
    step->swap.target = step->keep.target;
    step->swap.kind = step->keep.kind;
    step->swap.sha256 = step->keep.sha256;
    step->swap.has_mode = spec->install.has_mode;
    step->swap.mode = spec->install.mode;
    step->swap.made_folder = "";
    return hf_swap_check(&step->swap, &step->look, &step->failure);
}

static int run_look_behind(struct step_job *step)
{
    int r = drift_run_committed(step);

    if (r > 0) {
        retain_keep(step, false);
        watches_find(step);
    }
    return r;
}

/* Nobody repairs what somebody has put there: the status must not claim the committed version. */
static void installed_is_unknown(struct release *release)
{
    if (release->j.from[0] == '\0')
        return;
    memset(release->j.from, 0, sizeof(release->j.from));
    transition_message(release);
}

bool drift_pauses_newer(const struct release *release)
{
    return hf_mono_ns(release->engine->p.world.clock) < release->drift.newer_due_ns;
}

/* Has the committed release installed again, unless the newer one may start now, or nobody trusts the committed one.
 * One whose attempts fail may not before its next attempt, which the repair does not bring forward. */
static void repair_behind(struct release *release, struct step_job *step)
{
    enum hf_reason reason;
    const char *message;

    bool pauses = hf_mono_ns(release->engine->p.world.clock) < release->retry.due_ns;

    /* An order of the site leads away from the committed one. */
    if (release->wanted.object == NULL || release->wanted.ordered || wanted_held(release) ||
        strcmp(step->committed_digest, release->j.good_digest) != 0 ||
        (review_ask(release, &reason, &message) == HF_GATE_GO && !pauses)) {
        installed_is_unknown(release);
        return;
    }
    assert(strcmp(release->j.good_digest, release->j.digest) != 0); /* else Drifted would lead to the repair */
    log_drift(release, "update.drift", step);
    repairs_count(release, true);
    release->drift.look = (struct hf_swap_look){.size = 0};
    release->drift.newer_due_ns = pauses ? release->retry.due_ns : 0;
    wanted_repair(release, step->committed);
    step->committed = NULL;
    if (review_ask(release, &reason, &message) == HF_GATE_GO)
        return;
    wanted_repair_end(release);
    installed_is_unknown(release);
}

static void looked_behind(struct release *release, struct step_job *step)
{
    hf_steer_core_wake(&release->engine->core);
    if (step->committed == NULL && step->job.r == -ENOENT) /* committed by an agent that did not keep the release */
        return;
    release->drift.look = step->look;
    watches_set(release, step, false);
    if (step->job.r < 0) {
        hf_log_err(release->engine->p.world.log, HF_LOG_WARNING, "update.look", "release", release->j.name,
                   &step->failure.err);
    } else if (step->job.r == 0) {
        repair_behind(release, step);
    } else {
        repairs_count(release, step->look.seen.mended > 0);
        if (step->look.seen.mended > 0) {
            log_drift(release, "update.mended", step);
            repairs_put_back(release, step->look.seen.what);
        }
    }
}

void drift_look_behind(struct release *release)
{
    const struct hf_journal *j = &release->j;
    struct release_drift *drift = &release->drift;

    if (!drift->look_wanted || j->good_digest[0] == '\0' || strcmp(j->good_digest, j->digest) == 0 ||
        wanted_held(release) || hf_mono_ns(release->engine->p.world.clock) < drift->look_due_ns)
        return;
    struct step_job *step = step_new(release, STEP_LOOK, run_look_behind, looked_behind);
    drift->look_wanted = drift->fired = false;
    if (step == NULL)
        return;
    step->swap = step_swap_params(release, step);
    step->look = drift->look;
    memcpy(step->committed_digest, j->good_digest, sizeof(step->committed_digest));
    retain_prepare(release, step);
    step_submit(step);
}
