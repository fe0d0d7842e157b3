/* Forward: look, fetch, patch, swap. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "update/install/checkpoint.h"
#include "update/release.h"

enum { MAX_DELTA_FAILURES = 5 };
#define RESERVE_BYTES (16ull << 20) /* left free on the target's file system; at most a twentieth of it */
static const uint64_t unit_timeout_ns = 10 * HF_NS_PER_S;

/* ---- what steps are given --------------------------------------------------------------------------------------------- */

/* A step that was stopped because what is wanted, or allowed, changed meanwhile. */
static void stopped(struct release *release)
{
    const char *message = NULL;
    enum hf_reason reason = HF_R_None;

    release->stopping = false;
    if (!release_wants(release)) {
        release_event(release, HF_EV_DROPPED, HF_R_Queued, NULL);
        return;
    }
    enum hf_gate_verdict verdict = release_ask(release, &reason, &message);
    if (verdict == HF_GATE_REFUSE)
        release_event(release, HF_EV_REFUSED, reason, message);
    else if (verdict == HF_GATE_MISFIT)
        release_event(release, HF_EV_MISFIT, reason, message);
    else
        release_event(release, HF_EV_HELD, verdict == HF_GATE_WAIT ? reason : HF_R_RetryingLater, message);
}

static void failed(struct release *release, const struct hf_failure *failure, uint64_t at_least_ns)
{
    release_back_off(release, failure->reason, at_least_ns);
    release_failure(release, HF_EV_FAILED, failure);
}

/* ---- before it starts ------------------------------------------------------------------------------------------------- */

static void go(struct release *release)
{
    struct hf_journal *j = &release->j;

    j->attempts++;
    release->moved = false;
    release_event(release, HF_EV_GO, release->go_reason, release->go_reason != HF_R_Downloading ? j->detour : NULL);
}

static void unit_seen(void *arg, int r, const char *active_state, const char *sub_state, const struct hf_err *err)
{
    struct release *release = arg;
    struct hf_failure failure = {.reason = HF_R_None};

    (void)active_state;
    (void)sub_state;
    release->unit_call = NULL;
    release->step = STEP_NONE;
    if (r == 0) {
        go(release);
        return;
    }
    if (err != NULL)
        failure.err = *err;
    failure.reason = r == -ENOENT ? HF_R_UnitNotFound : HF_R_SystemdUnavailable;
    failed(release, &failure, 0);
}

/* Is the unit there at all? Better to know before the old version is touched. */
static void look_at_unit(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;
    const char *name = release->update->release.install.restart_unit;
    struct hf_failure failure = {.reason = HF_R_SystemdUnavailable};

    if (name == NULL) {
        go(release);
        return;
    }
    release->step = STEP_UNIT;
    release->stopping = false;
    int r = unit->state(unit->ctx, name, unit_timeout_ns, unit_seen, release, &release->unit_call, &failure.err);
    if (r < 0) {
        release->step = STEP_NONE;
        failed(release, &failure, 0);
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Bytes of the new version itself, until it is in place: a tree is there as its archive, too. */
static uint64_t new_bytes(const struct release *release)
{
    uint64_t size = release_artifact(release)->size;

    return release->j.kind == HF_INSTALL_TREE ? 2 * size : size;
}

/* What must stay free. */
static uint64_t reserve_of(const struct hf_swap_inspection *seen)
{
    return HF_MIN(RESERVE_BYTES, seen->total_bytes / 20);
}

/* Bytes needed beside the target until the new version is in place. A way by deltas was taken because there is room for it. */
static uint64_t needed(const struct release *release)
{
    const struct hf_artifact *artifact = release_artifact(release);
    uint64_t need = new_bytes(release);

    if (release_delta(release) == NULL && (ends_with(artifact->url, ".zst") || ends_with(artifact->url, ".xz")))
        need += artifact->size / 2; /* a guess; what is really needed is reserved when it is known */
    return need;
}

static bool has_room(const struct release *release, struct hf_failure *failure)
{
    const struct hf_swap_inspection *seen = &release->seen;
    uint64_t reserve = reserve_of(seen), need = needed(release);

    need -= HF_MIN(need, seen->staged_bytes);
    if (seen->available_bytes >= need && seen->available_bytes - need >= reserve)
        return true;
    (void)hf_failure_set(failure, HF_R_DiskSpaceLow, ENOSPC,
                         "%" PRIu64 " bytes are needed and %" PRIu64 " must stay free, %" PRIu64 " are free", need,
                         reserve, seen->available_bytes);
    return false;
}

static bool is_installed(const struct release *release)
{
    const struct hf_swap_inspection *seen = &release->seen;

    return seen->exists && seen->sha256[0] != '\0' && strcmp(seen->sha256, release->j.sha256) == 0;
}

/* What a way by deltas may take of the disk, beside the new version. */
static uint64_t disk_room(const struct release *release)
{
    const struct hf_swap_inspection *seen = &release->seen;
    uint64_t taken = reserve_of(seen) + new_bytes(release);

    if (seen->available_bytes > UINT64_MAX - seen->staged_bytes - seen->step_bytes)
        return seen->available_bytes;
    uint64_t there = seen->available_bytes + seen->staged_bytes + seen->step_bytes;
    return there > taken ? there - taken : 0;
}

/* What was seen goes into the journal: it decides what "back" means. */
static void note_seen(struct release *release)
{
    const struct hf_swap_inspection *seen = &release->seen;
    struct hf_journal *j = &release->j;

    j->had_old = seen->exists;
    memset(j->old_sha256, 0, sizeof(j->old_sha256));
    memset(j->old_link, 0, sizeof(j->old_link));
    if (j->kind == HF_INSTALL_FILE)
        memcpy(j->old_sha256, seen->sha256, sizeof(j->old_sha256));
    else
        (void)snprintf(j->old_link, sizeof(j->old_link), "%s", seen->link);
    /* Folders made in an earlier attempt are there now: they are still ours to remove. */
    if (j->made_folder[0] == '\0')
        (void)snprintf(j->made_folder, sizeof(j->made_folder), "%s", seen->missing);
    j->probed = j->restarted = false;
    j->starts = 0;
    release->disk_room = disk_room(release);
}

/* What the delta has made of the new file is nobody's beginning now, and its size is that of the whole one. */
static int drop_unfinished(const struct hf_target_dir *dir, struct hf_failure *failure)
{
    char name[NAME_MAX + 1];
    int r = hf_target_unlink(dir, hf_target_file_name(dir->release, HF_TARGET_NEW, name), failure);

    return r < 0 ? r : hf_target_unlink(dir, hf_target_file_name(dir->release, HF_TARGET_CHECKPOINT, name), failure);
}

/* Did the agent die in the middle of a delta that is tried still, in a way that asks for another one? */
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

static int run_inspect(struct step_job *step)
{
    int r = hf_swap_inspect(&step->swap, &step->inspection, &step->failure);

    if (r < 0)
        return r;
    hf_room_memory(step->swap.target.fs, "", &step->room);
    return look_for_death(step);
}

static void inspected(struct release *release, struct step_job *step)
{
    struct hf_failure failure = {.reason = HF_R_None};

    if (release->stopping) { /* nothing was begun: looking again says what comes now */
        release->stopping = false;
        engine_leave(release);
        engine_poke(release->engine);
        return;
    }
    if (step->r < 0) {
        failed(release, &step->failure, 0);
        return;
    }
    release->seen = step->inspection;
    if (is_installed(release)) {
        release_event(release, HF_EV_INSTALLED, HF_R_AlreadyInstalled, NULL);
        return;
    }
    release->room = step->room;
    note_seen(release);
    release->go_reason = release_choose_way(release, &step->death);
    if (!has_room(release, &failure))
        failed(release, &failure, 0);
    else
        look_at_unit(release);
}

void step_inspect(struct release *release)
{
    struct step_job *step = step_new(release, STEP_INSPECT, run_inspect, inspected);

    if (step == NULL) {
        step_no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = step_swap(release, step);
    step_submit(step);
}

/* ---- fetch ------------------------------------------------------------------------------------------------------------ */

static void fall_back(struct release *release, const struct hf_failure *failure)
{
    if (failure->reason == HF_R_DeltaUnfit) {
        release_delta_unfit(release, &failure->err);
        release_event(release, HF_EV_FALL_BACK, HF_R_DeltaUnfit, release->j.detour);
    } else {
        release_delta_bad(release);
        release_failure(release, HF_EV_FALL_BACK, failure);
    }
}

/* Is it the delta that will not do, so that the whole file must be fetched? */
static bool delta_is_no_good(struct release *release, const struct hf_failure *failure, bool hopeless)
{
    if (release->j.method != HF_METHOD_DELTA)
        return false;
    if (hopeless)
        return true;
    switch (failure->reason) {
    case HF_R_DeltaDamaged:
    case HF_R_DeltaUnfit:
    case HF_R_ArtifactTooLong:
    case HF_R_ArtifactTooShort:
    case HF_R_HashMismatch:
    case HF_R_UrlUnsupported:
        return true;
    case HF_R_DownloadFailed:
    case HF_R_DownloadRefused:
    case HF_R_DownloadTooSlow:
        return !release->moved && ++release->delta_failures >= MAX_DELTA_FAILURES;
    default:
        return false;
    }
}

static void fetched(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns, bool hopeless)
{
    struct release *release = arg;
    struct hf_update_engine *engine = release->engine;

    release->fetch = NULL;
    release->step = STEP_NONE;
    if (engine->resting) /* the next life goes on from what is on disk */
        engine_changed(engine);
    else if (r == 0)
        release_event(release, HF_EV_FETCHED, HF_R_Patching, NULL);
    else if (release->stopping)
        stopped(release);
    else if (delta_is_no_good(release, failure, hopeless))
        fall_back(release, failure);
    else
        failed(release, failure, retry_after_ns);
    engine_unref(engine);
}

static void bytes_moved(void *arg, uint64_t wire_bytes, bool before)
{
    struct release *release = arg;

    if (!before)
        hf_metric_add(release->engine->counts.fetched, wire_bytes);
    release->j.bytes_fetched += wire_bytes;
    release->moved = true;
}

void step_fetch(struct release *release)
{
    struct hf_update_engine *engine = release->engine;
    const struct hf_artifact *artifact = release_artifact(release);
    const struct hf_delta_ref *delta = release->j.method == HF_METHOD_DELTA ? release_delta(release) : NULL;
    struct hf_failure failure = {.reason = HF_R_RetryingLater};

    if (artifact == NULL) {
        release_event(release, HF_EV_MISFIT, HF_R_NoArtifactForArch, NULL);
        return;
    }
    struct hf_fetch_params params = {.clock = engine->p.clock,
                                     .sched = engine->p.sched,
                                     .http = engine->p.http,
                                     .target = step_target(release),
                                     .folder = release->folder,
                                     .url = delta != NULL ? delta->url : artifact->url,
                                     .key = delta != NULL ? delta->sha256 : artifact->sha256,
                                     .is_delta = delta != NULL,
                                     .size = delta != NULL ? delta->size : artifact->size,
                                     .new_size = delta != NULL && delta->to != NULL ? delta->to_size : artifact->size,
                                     .wire_bytes = release->j.bytes_fetched,
                                     .bandwidth_limit = release->wanted != NULL ? release->wanted->bandwidth_limit : 0,
                                     .moved = bytes_moved,
                                     .done = fetched,
                                     .arg = release};
    release->step = STEP_FETCH;
    release->stopping = false;
    engine_ref(engine);
    if (hf_fetch_start(&params, &release->fetch, &failure.err) < 0) {
        release->step = STEP_NONE;
        failed(release, &failure, 0);
        engine_unref(engine);
    }
}

/* ---- patch ------------------------------------------------------------------------------------------------------------ */

static int run_patch(struct step_job *step)
{
    return hf_patch_run(&step->patch, &step->failure);
}

/* The file between is there: the next delta begins with it. */
static void stepped(struct release *release, const struct step_job *step)
{
    (void)snprintf(release->step_sha256, sizeof(release->step_sha256), "%s", step->patch.sha256);
    release->step_bytes = step->patch.size;
    release_event(release, HF_EV_STEPPED, HF_R_Downloading, NULL);
}

static void patched(struct release *release, struct step_job *step)
{
    if (step->r == 0 && step->patch.to_step)
        stepped(release, step);
    else if (step->r == 0)
        release_event(release, HF_EV_PATCHED, HF_R_Verified, NULL);
    else if (release->stopping)
        stopped(release);
    else if (delta_is_no_good(release, &step->failure, false))
        fall_back(release, &step->failure);
    else
        failed(release, &step->failure, 0);
}

void step_patch(struct release *release)
{
    struct step_job *step = step_new(release, STEP_PATCH, run_patch, patched);
    const struct hf_delta_ref *delta = release->j.method == HF_METHOD_DELTA ? release_delta(release) : NULL;
    const struct hf_journal *j = &release->j;
    bool to_step = delta != NULL && delta->to != NULL;

    if (step == NULL || release->update == NULL) {
        step_discard(step);
        step_no_memory(release, HF_EV_FAILED);
        return;
    }
    const struct hf_install *install = &release->update->release.install;
    step->patch =
        (struct hf_patch_params){.target = step_target(release),
                                 .folder = release->folder,
                                 .kind = j->kind,
                                 .method = delta != NULL ? j->method : HF_METHOD_FULL,
                                 .delta_sha256 = delta != NULL ? delta->sha256 : NULL,
                                 .delta_size = delta != NULL ? delta->size : 0,
                                 .step_sha256 = delta != NULL && release->step_sha256[0] != '\0' ? delta->from : NULL,
                                 .to_step = to_step,
                                 .had_old = j->had_old,
                                 .old_sha256 = j->old_sha256,
                                 .old_link = j->old_link,
                                 .sha256 = to_step ? delta->to : j->sha256,
                                 .size = to_step ? delta->to_size : j->size,
                                 .has_mode = install->has_mode,
                                 .mode = install->mode,
                                 .cancel = &step->cancel};
    step_submit(step);
}

/* ---- swap ------------------------------------------------------------------------------------------------------------- */

static int run_swap(struct step_job *step)
{
    return hf_swap_run(&step->swap, &step->failure);
}

static void swapped(struct release *release, struct step_job *step)
{
    if (step->r < 0) {
        release_failure(release, HF_EV_FAILED, &step->failure);
        return;
    }
    release->j.probed = true;
    release->j.restarted = false;
    release->j.starts = 0;
    release->restart_tries = 0;
    release_event(release, HF_EV_SWAPPED, HF_R_HealthPending, NULL);
}

void step_swap_in(struct release *release)
{
    struct step_job *step = step_new(release, STEP_SWAP, run_swap, swapped);

    if (step == NULL) {
        step_no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = step_swap(release, step);
    step_submit(step);
}
