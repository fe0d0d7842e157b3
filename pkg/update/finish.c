/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an update: raise the floor after a commit, remove what the update left. Both run again until they
 * succeed. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "steps/fetch_record.h"
#include "update/install/floor_copy.h"
#include "update/release.h"
#include "update/state/committed.h"
#include "update/state/floor.h"

enum { MAX_CLEAN_TRIES = 5 }; /* before the next update need not wait any more */
static const uint64_t again_ns = 10 * HF_NS_PER_S, much_later_ns = 3600 * HF_NS_PER_S;

static int run_clean(struct step_job *step)
{
    struct release *release = step->release;
    const struct hf_fs_ops *fs = release->engine->p.world.fs;
    int r = step->swap.target.path[0] != '\0' ? hf_swap_clean(&step->swap, &step->failure) : 0;

    /* No update has ever written to a path that is not allowed. */
    if (r == -EACCES && step->failure.reason == HF_R_PathNotAllowed)
        r = 0;
    if (r == 0)
        r = hf_attempt_end(fs, release->folder, &step->failure.err);
    return r < 0 ? r : hf_fetch_record_remove(fs, release->folder, &step->failure.err);
}

static int run_commit(struct step_job *step)
{
    struct release *release = step->release;
    struct hf_err copy_err = HF_ERR_INIT;
    bool rotated = false;
    int r = hf_floor_save(release->engine->p.world.fs, release->folder, &step->floor, &step->failure.err);

    if (r < 0)
        return r;
    step->floor_done = true;
    int copied =
        release->j.kind == HF_INSTALL_AGENT ? 0 : hf_floor_copy_save(&step->swap.target, &step->floor, &copy_err);
    if (copied == 0 && step->text.n > 0)
        copied = hf_committed_save(release->engine->p.world.fs, release->folder, hf_buf_view(&step->text),
                                   step->committed_digest, &rotated, &copy_err);
    r = run_clean(step);
    if (r == 0) {
        retain_drop_former(step);
        retain_keep(step, rotated);
    }
    if (r == 0)
        watches_find(step);
    if (r == 0 && copied < 0) { /* the state folder has the floor: log it, and try again a few times */
        step->failure.err = copy_err;
        return copied;
    }
    return r;
}

static void later(struct release *release)
{
    release->retry.due_ns = hf_mono_ns(release->engine->p.world.clock) + again_ns;
    hf_steer_core_wake(&release->engine->core);
}

static void finished(struct release *release, struct step_job *step)
{
    struct release_retry *retry = &release->retry;
    bool commit = step->kind == STEP_COMMIT;
    assert(commit == (release->j.phase == HF_PHASE_COMMITTED) && hf_phase_rests(release->j.phase));
    bool must = commit && step->job.r < 0 && !step->floor_done; /* the floor is still the old one */

    if (must) /* until it is raised, no other update may start */
        transition_trouble(release, step->job.r, &step->failure.err);
    else
        transition_no_trouble(release);
    retry->clean_due_ns = 0;
    if (step->job.r < 0) {
        hf_log_err(release->engine->p.world.log, HF_LOG_WARNING, "update.clean", "release", release->j.name,
                   &step->failure.err);
        if (must || ++retry->tries < MAX_CLEAN_TRIES) {
            later(release);
            return;
        }
        retry->clean_due_ns = hf_mono_ns(release->engine->p.world.clock) + much_later_ns;
    }
    if (commit) {
        watches_set(release, step, true);
        release->review.floor = step->floor;
    }
    retry->redo = REDO_NOTHING;
    retry->tries = 0;
    retry->due_ns = 0;
    hf_steer_core_notify(&release->engine->core);
    hf_steer_core_wake(&release->engine->core);
}

/* Without memory the next look for drift keeps the release (drift.c). */
static void keep_release(const struct release *release, struct step_job *step)
{
    _cleanup_(hf_json_freep) json_t *committed = wanted_committed(release);

    if (committed != NULL && hf_committed_format(committed, &step->text) < 0)
        hf_buf_clear(&step->text);
}

static void start(struct release *release, enum step_kind kind, int (*run)(struct step_job *step))
{
    struct step_job *step = step_new(release, kind, run, finished);

    if (step == NULL) {
        later(release);
        return;
    }
    step->swap = step_swap_params(release, step);
    step->floor = release->review.floor;
    if (!release->j.good_local)
        hf_sequence_commit(&step->floor, release->j.good_sequence, release->j.good_digest);
    assert(step->floor.top.sequence >= release->review.floor.top.sequence);
    assert(release->j.good_local || step->floor.top.sequence >= release->j.good_sequence);
    if (kind == STEP_COMMIT) {
        hf_floor_guard_join(release->engine->p.floors, "release", release->j.name, &step->floor);
        keep_release(release, step);
        memcpy(step->committed_digest, release->j.good_digest, sizeof(step->committed_digest));
        retain_prepare(release, step);
    }
    step_submit(step);
}

void finish_commit(struct release *release)
{
    release->retry.redo = REDO_COMMIT;
    start(release, STEP_COMMIT, run_commit);
}

void finish_clean(struct release *release)
{
    release->retry.redo = REDO_CLEAN;
    start(release, STEP_CLEAN, run_clean);
}

bool finish_overdue(struct release *release)
{
    uint64_t due_ns = release->retry.clean_due_ns;

    if (due_ns == 0 || hf_mono_ns(release->engine->p.world.clock) < due_ns)
        return false;
    if (release->j.phase == HF_PHASE_COMMITTED)
        finish_commit(release);
    else
        finish_clean(release);
    return true;
}
