/* SPDX-License-Identifier: Apache-2.0 */
/* Before an update starts: inspect the target, choose the method, check for space and for the unit. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "loop/unit.h"
#include "update/install/checkpoint.h"
#include "update/release.h"

#define RESERVE_BYTES (16ull << 20) /* stay free on the target's file system; at most a twentieth of it */
static const uint64_t unit_timeout_ns = 10 * HF_NS_PER_S;

static void failed(struct release *release, const struct hf_failure *failure)
{
    retry_back_off(release, failure->reason, 0);
    transition_failure(release, HF_EV_FAILED, failure);
}

/* ---- the unit ---------------------------------------------------------------------------------------------------- */

static void go(struct release *release)
{
    struct hf_journal *j = &release->j;
    enum hf_reason reason = release->attempt.go_reason;

    assert(j->phase == HF_PHASE_WAITING && update_engine_has_turn(release));
    assert((j->method == HF_METHOD_KEPT) == (release->attempt.kept != HF_KEPT_NOWHERE));
    j->attempts++;
    release->attempt.received_bytes = 0;
    transition_event(release, HF_EV_GO, reason,
                     reason != HF_R_Downloading && reason != HF_R_Patching ? j->detour : NULL);
}

static void unit_seen(void *arg, int r, HF_UNUSED const char *active_state, HF_UNUSED const char *sub_state,
                      const struct hf_err *err)
{
    struct release *release = arg;
    struct hf_failure failure = {.reason = HF_R_None};

    release->step.unit_call = NULL;
    step_end(release);
    if (r == 0) {
        go(release);
        return;
    }
    if (err != NULL)
        failure.err = *err;
    failure.reason = r == -ENOENT ? HF_R_UnitNotFound : HF_R_SystemdUnavailable;
    failed(release, &failure);
}

/* An unknown unit must show before the old version is touched. */
static void look_at_unit(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;
    const char *name = release->wanted.accepted->release.install.restart_unit;
    struct hf_failure failure = {.reason = HF_R_SystemdUnavailable};

    if (name == NULL) {
        go(release);
        return;
    }
    step_begin(release, STEP_UNIT);
    int r = unit->state(unit->ctx, name, unit_timeout_ns, unit_seen, release, &release->step.unit_call, &failure.err);
    if (r < 0) {
        step_end(release);
        failed(release, &failure);
    }
}

/* ---- space ------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Bytes of the new version itself until it is in place; a tree is on disk as its archive too. */
static uint64_t new_bytes(const struct release *release)
{
    uint64_t size = method_artifact(release)->size;

    return release->j.kind != HF_INSTALL_FILE ? 2 * size : size;
}

/* Bytes that must stay free. */
static uint64_t reserve_of(const struct release *release)
{
    const struct hf_update_params *p = &release->engine->p;
    uint64_t disk_bytes = release->attempt.seen.total_bytes;

    if (p->disk_reserve != NULL && disk_bytes != UINT64_MAX) /* that much: the folder does not exist yet */
        return p->disk_reserve(p->arg, disk_bytes);
    return HF_MIN(RESERVE_BYTES, disk_bytes / 20);
}

/* Bytes needed beside the target until the new version is in place. method_choose() has checked the room for deltas. */
static uint64_t needed(const struct release *release)
{
    const struct hf_artifact *artifact = method_artifact(release);
    uint64_t need = new_bytes(release);

    if (release->j.method == HF_METHOD_KEPT)
        return hf_kept_source_needs_space(release->attempt.kept, release->j.kind != HF_INSTALL_FILE) ? need : 0;
    if (method_delta(release) == NULL && (ends_with(artifact->url, ".zst") || ends_with(artifact->url, ".xz")))
        need += artifact->size / 2; /* a guess: the download reserves the exact number once the server has sent it */
    return need;
}

static bool has_space(const struct release *release, struct hf_failure *failure)
{
    const struct hf_swap_inspection *seen = &release->attempt.seen;
    uint64_t reserve = reserve_of(release), need = needed(release);

    need -= HF_MIN(need, seen->staged_bytes);
    if (need == 0 || (seen->available_bytes >= need && seen->available_bytes - need >= reserve))
        return true;
    (void)hf_failure_set(failure, HF_R_DiskSpaceLow, ENOSPC,
                         "the update needs %" PRIu64 " bytes and %" PRIu64 " must stay free, but only %" PRIu64
                         " are free",
                         need, reserve, seen->available_bytes);
    return false;
}

/* Bytes of disk that deltas may take beside the new version. */
static uint64_t disk_room(const struct release *release)
{
    const struct hf_swap_inspection *seen = &release->attempt.seen;
    uint64_t taken = reserve_of(release) + new_bytes(release);

    if (seen->available_bytes > UINT64_MAX - seen->staged_bytes - seen->step_bytes)
        return seen->available_bytes;
    uint64_t there = seen->available_bytes + seen->staged_bytes + seen->step_bytes;
    return there > taken ? there - taken : 0;
}

/* ---- the target -------------------------------------------------------------------------------------------------- */

static bool is_installed(const struct release *release)
{
    const struct hf_swap_inspection *seen = &release->attempt.seen;

    return seen->exists && seen->sha256[0] != '\0' && strcmp(seen->sha256, release->j.sha256) == 0;
}

/* Writes into the journal what a rollback has to restore. */
static void note_seen(struct release *release)
{
    const struct hf_swap_inspection *seen = &release->attempt.seen;
    struct hf_journal *j = &release->j;

    /* The rollback's truth is written while the old version is untouched. */
    assert(j->phase == HF_PHASE_WAITING && (seen->exists || (seen->sha256[0] == '\0' && seen->link[0] == '\0')));
    j->had_old = seen->exists;
    memset(j->old_sha256, 0, sizeof(j->old_sha256));
    memset(j->old_link, 0, sizeof(j->old_link));
    if (j->kind == HF_INSTALL_FILE)
        memcpy(j->old_sha256, seen->sha256, sizeof(j->old_sha256));
    else
        (void)snprintf(j->old_link, sizeof(j->old_link), "%s", seen->link);
    /* Folders that an earlier attempt made exist now: this release still has to remove them. */
    if (j->made_folder[0] == '\0')
        (void)snprintf(j->made_folder, sizeof(j->made_folder), "%s", seen->missing);
    j->probed = j->restarted = j->hooked = false;
    j->starts = 0;
    release->attempt.disk_room = disk_room(release);
}

/* Removes the delta's unfinished output, which nothing can resume now and which takes the space of a whole new file. */
static int drop_unfinished(const struct hf_target_dir *dir, struct hf_failure *failure)
{
    char name[NAME_MAX + 1];
    int r = hf_target_unlink(dir, hf_target_file_name(dir->release, HF_TARGET_NEW, name), failure);

    return r < 0 ? r : hf_target_unlink(dir, hf_target_file_name(dir->release, HF_TARGET_CHECKPOINT, name), failure);
}

/* Finds out if a delta that is still in use killed the agent and must make room for another one. */
static int look_for_death(struct step_job *step)
{
    const struct hf_fs_ops *fs = step->swap.target.fs;
    struct hf_attempt_now now;
    struct hf_attempt attempt;
    struct hf_target_dir dir;

    if (!hf_attempt_find(fs, step->release->folder, &attempt) ||
        hf_delta_chain_avoids(step->release->j.avoid, attempt.delta))
        return 0;
    int r = hf_target_open(&step->swap.target, &dir, NULL, &step->failure);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    hf_attempt_look(fs, &now);
    now.at = hf_checkpoint_peek(&dir, attempt.delta, attempt.makes);
    if (hf_attempt_gives_up(&attempt, &now)) {
        r = drop_unfinished(&dir, &step->failure);
        step->death.times = attempt.deaths + 1;
        step->death.oom = hf_attempt_oom(&attempt, &now);
        memcpy(step->death.delta, attempt.delta, sizeof(step->death.delta));
    }
    hf_target_dir_done(&dir);
    return r;
}

/* Something is installed, but neither the state folder nor a copy says which sequence was committed: a first install
 * over a file of another origin, or the loss of both. */
static void note_unknown_floor(const struct release *release)
{
    if (release->attempt.seen.exists && release->review.floor.top.sequence == 0 && release->j.good_sequence == 0)
        hf_log(release->engine->p.world.log, HF_LOG_INFO, "update.floor.unknown", HF_S("release", release->j.name),
               HF_S("path", release->j.path));
}

static int run_inspect(struct step_job *step)
{
    retain_trim(step); /* before the free space is measured */
    int r = hf_swap_inspect(&step->swap, &step->inspection, &step->failure);

    if (r < 0)
        return r;
    hf_room_memory(step->swap.target.fs, "", &step->room);
    r = retain_find(step);
    return r < 0 ? r : look_for_death(step);
}

static void inspected(struct release *release, struct step_job *step)
{
    struct hf_failure failure = {.reason = HF_R_None};
    struct release_attempt *attempt = &release->attempt;

    if (release->step.stopping) { /* nothing has started: the next look decides */
        release->step.stopping = false;
        hf_steer_core_leave_turn(&release->engine->core, &release->machine);
        hf_steer_core_wake(&release->engine->core);
        return;
    }
    if (step->job.r < 0) {
        failed(release, &step->failure);
        return;
    }
    attempt->seen = step->inspection;
    if (is_installed(release)) {
        transition_event(release, HF_EV_INSTALLED, HF_R_AlreadyInstalled, NULL);
        return;
    }
    if (attempt->seen.unproven && strcmp(release->j.digest, release->j.good_digest) != 0) {
        (void)hf_failure_set(&failure, HF_R_AgentUnproven, EAGAIN, "%s", hf_reason_meaning(HF_R_AgentUnproven));
        failed(release, &failure);
        return;
    }
    attempt->room = step->room;
    note_unknown_floor(release);
    note_seen(release);
    attempt->kept = attempt->kept_failed ? HF_KEPT_NOWHERE : step->kept;
    attempt->go_reason = method_choose(release, &step->death);
    if (wanted_goes_back(release) && attempt->kept == HF_KEPT_NOWHERE) {
        transition_event(release, HF_EV_REFUSED, HF_R_NotKept, NULL);
        return;
    }
    if (attempt->kept != HF_KEPT_NOWHERE) {
        release->j.method = HF_METHOD_KEPT;
        attempt->go_reason = HF_R_Patching;
    } else if (method_may_be_neighbour(release)) {
        release->j.method = HF_METHOD_NEIGHBOUR;
        attempt->go_reason = HF_R_Downloading;
    }
    if (!has_space(release, &failure))
        failed(release, &failure);
    else
        look_at_unit(release);
}

void prepare_start(struct release *release)
{
    struct step_job *step = step_new(release, STEP_INSPECT, run_inspect, inspected);

    if (step == NULL) {
        transition_no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = step_swap_params(release, step);
    memcpy(step->committed_digest, release->j.good_digest, sizeof(step->committed_digest));
    retain_prepare(release, step);
    step_submit(step);
}
