/* SPDX-License-Identifier: Apache-2.0 */
/* The actions that bring the new file into place: fetch, patch, swap. */
#include <errno.h>
#include <string.h>

#include "steps/access.h"
#include "update/release.h"

enum { MAX_DELTA_FAILURES = 5 }; /* downloads of a delta that brought nothing, before the whole file is fetched */

/* The step was stopped because the wanted object or the gate changed. */
static void stopped(struct release *release)
{
    const char *message = NULL;
    enum hf_reason reason = HF_R_None;

    release->step.stopping = false;
    if (!wanted_matches(release)) {
        transition_event(release, HF_EV_DROPPED, HF_R_Queued, NULL);
        return;
    }
    enum hf_gate_verdict verdict = review_ask(release, &reason, &message);
    if (verdict == HF_GATE_REFUSE)
        transition_event(release, HF_EV_REFUSED, reason, message);
    else if (verdict == HF_GATE_MISFIT)
        transition_event(release, HF_EV_MISFIT, reason, message);
    else
        transition_event(release, HF_EV_HELD, verdict == HF_GATE_WAIT ? reason : HF_R_RetryingLater, message);
}

static void failed(struct release *release, const struct hf_failure *failure, uint64_t at_least_ns)
{
    retry_back_off(release, failure->reason, at_least_ns);
    transition_failure(release, HF_EV_FAILED, failure);
}

/* ---- falling back ------------------------------------------------------------------------------------------------ */

static void fall_back(struct release *release, const struct hf_failure *failure)
{
    if (failure->reason == HF_R_DeltaUnfit) {
        method_drop_delta(release, &failure->err);
        transition_event(release, HF_EV_FALL_BACK, HF_R_DeltaUnfit, release->j.detour);
    } else {
        method_use_whole_file(release);
        transition_failure(release, HF_EV_FALL_BACK, failure);
    }
}

/* True if the delta itself is the problem, so that another file must be fetched. */
static bool delta_is_unusable(struct release *release, const struct hf_failure *failure, bool hopeless)
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
        return release->attempt.received_bytes == 0 && ++release->attempt.delta_failures >= MAX_DELTA_FAILURES;
    default:
        return false;
    }
}

/* ---- fetch ------------------------------------------------------------------------------------------------------- */

static void fetched(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns, bool hopeless)
{
    struct release *release = arg;
    struct hf_update_engine *engine = release->engine;

    release->step.fetch = NULL;
    step_end(release);
    if (engine->quiescing) /* the next process resumes from what is on disk */
        update_engine_notify(engine);
    else if (r == 0)
        transition_event(release, HF_EV_FETCHED, HF_R_Patching, NULL);
    else if (release->step.stopping)
        stopped(release);
    else if (delta_is_unusable(release, failure, hopeless))
        fall_back(release, failure);
    else
        failed(release, failure, retry_after_ns);
    hf_steer_core_unref(&engine->core);
}

static void received(void *arg, uint64_t wire_bytes, bool before)
{
    struct release *release = arg;

    if (!before)
        hf_metric_add(release->engine->counts.fetched, wire_bytes);
    release->j.bytes_fetched += wire_bytes;
    release->attempt.received_bytes += wire_bytes;
}

/* True for a release that this node committed before releases stated the hash of a packed download. */
static bool repairs_old_format(const struct release *release)
{
    const struct hf_release *spec = &release->wanted.accepted->release;
    char text[200];

    return strcmp(release->j.digest, release->j.good_digest) == 0 &&
           hf_release_outdated(spec, text, sizeof(text)) != NULL;
}

static struct hf_fetch_params fetch_params(struct release *release)
{
    const struct hf_update_engine *engine = release->engine;
    const struct hf_artifact *artifact = method_artifact(release);
    const struct hf_delta_ref *delta = release->j.method == HF_METHOD_DELTA ? method_delta(release) : NULL;
    const struct hf_edgeupdate *object = release->wanted.object;
    bool packed = artifact->download.sha256 != NULL;
    const struct hf_download whole =
        packed ? artifact->download : (struct hf_download){.sha256 = artifact->sha256, .size = artifact->size};

    return (struct hf_fetch_params){.clock = engine->p.clock,
                                    .sched = engine->p.sched,
                                    .http = engine->p.bulk_http != NULL ? engine->p.bulk_http : engine->p.http,
                                    .target = step_target(release),
                                    .folder = release->folder,
                                    .access = engine->p.access,
                                    .url = delta != NULL ? delta->url : artifact->url,
                                    .key = delta != NULL ? delta->sha256 : whole.sha256,
                                    .exact = delta != NULL || packed || !repairs_old_format(release),
                                    .size = delta != NULL ? delta->size : whole.size,
                                    .new_size = delta != NULL && delta->to != NULL ? delta->to_size : artifact->size,
                                    .wire_bytes = release->j.bytes_fetched,
                                    .bandwidth_limit = object != NULL ? object->bandwidth_limit : 0,
                                    .moved = received,
                                    .done = fetched,
                                    .arg = release};
}

void replace_fetch(struct release *release)
{
    struct hf_update_engine *engine = release->engine;
    struct hf_failure failure = {.reason = HF_R_RetryingLater};

    if (method_artifact(release) == NULL) {
        transition_event(release, HF_EV_MISFIT, HF_R_NoArtifactForArch, NULL);
        return;
    }
    if (release->j.method == HF_METHOD_KEPT) {
        transition_event(release, HF_EV_FETCHED, HF_R_Patching, NULL);
        return;
    }
    struct hf_fetch_params params = fetch_params(release);
    step_begin(release, STEP_FETCH);
    hf_steer_core_ref(&engine->core);
    if (hf_fetch_start(&params, &release->step.fetch, &failure.err) < 0) {
        step_end(release);
        failed(release, &failure, 0);
        hf_steer_core_unref(&engine->core);
    }
}

/* ---- patch ------------------------------------------------------------------------------------------------------- */

static int run_patch(struct step_job *step)
{
    return hf_patch_run(&step->patch, &step->failure);
}

/* The intermediate file is complete: the next delta starts from it. */
static void stepped(struct release *release, const struct step_job *step)
{
    struct release_attempt *attempt = &release->attempt;

    (void)snprintf(attempt->step_sha256, sizeof(attempt->step_sha256), "%s", step->patch.sha256);
    attempt->step_bytes = step->patch.size;
    transition_event(release, HF_EV_STEPPED, HF_R_Downloading, NULL);
}

/* True if the content is wrong and a mirror had part in it: the same download from elsewhere may be right. */
static bool came_from_mirror(struct release *release, const struct hf_failure *failure)
{
    if (failure->reason != HF_R_HashMismatch && failure->reason != HF_R_DeltaDamaged &&
        failure->reason != HF_R_ArtifactDamaged)
        return false;
    return method_artifact(release) != NULL && hf_access_blame(release->engine->p.access, fetch_params(release).key);
}

/* What is on the disk is not what was kept, or it cannot be taken: fetch the content. */
static void kept_failed(struct release *release, const struct hf_failure *failure)
{
    struct delta_death none = {.times = 0};

    release->attempt.kept_failed = true;
    (void)method_choose(release, &none);
    transition_failure(release, HF_EV_FALL_BACK, failure);
}

static void patched(struct release *release, struct step_job *step)
{
    if (step->job.r == 0 && step->patch.to_step)
        stepped(release, step);
    else if (step->job.r == 0)
        transition_event(release, HF_EV_PATCHED, HF_R_Verified, NULL);
    else if (release->step.stopping)
        stopped(release);
    else if (release->j.method == HF_METHOD_KEPT && !wanted_goes_back(release))
        kept_failed(release, &step->failure);
    else if (came_from_mirror(release, &step->failure)) {
        retry_back_off(release, HF_R_DownloadFailed, 0);
        transition_failure(release, HF_EV_FAILED, &step->failure);
    } else if (delta_is_unusable(release, &step->failure, false))
        fall_back(release, &step->failure);
    else
        failed(release, &step->failure, 0);
}

static struct hf_patch_params patch_params(const struct release *release, const struct step_job *step)
{
    const struct hf_delta_ref *delta = release->j.method == HF_METHOD_DELTA ? method_delta(release) : NULL;
    const struct hf_install *install = &release->wanted.accepted->release.install;
    const struct hf_journal *j = &release->j;
    const struct hf_artifact *artifact = method_artifact(release);
    bool whole = delta == NULL && artifact != NULL && j->method != HF_METHOD_KEPT;
    bool to_step = delta != NULL && delta->to != NULL, from_step = release->attempt.step_sha256[0] != '\0';

    return (struct hf_patch_params){.target = step_target(release),
                                    .folder = release->folder,
                                    .kind = j->kind,
                                    .method = delta != NULL || j->method == HF_METHOD_KEPT ? j->method : HF_METHOD_FULL,
                                    .other = step->other,
                                    .delta_sha256 = delta != NULL ? delta->sha256 : NULL,
                                    .delta_size = delta != NULL ? delta->size : 0,
                                    .step_sha256 = delta != NULL && from_step ? delta->from : NULL,
                                    .to_step = to_step,
                                    .packed_sha256 = whole ? artifact->download.sha256 : NULL,
                                    .packed_size = whole ? artifact->download.size : 0,
                                    .unpacks_unstated = whole && repairs_old_format(release),
                                    .had_old = j->had_old,
                                    .old_sha256 = j->old_sha256,
                                    .old_link = j->old_link,
                                    .sha256 = to_step ? delta->to : j->sha256,
                                    .size = to_step ? delta->to_size : j->size,
                                    .has_mode = install->has_mode,
                                    .mode = install->mode,
                                    .cancel = &step->job.cancel};
}

void replace_patch(struct release *release)
{
    struct step_job *step = step_new(release, STEP_PATCH, run_patch, patched);

    if (step == NULL || release->wanted.accepted == NULL) {
        step_discard(step);
        transition_no_memory(release, HF_EV_FAILED);
        return;
    }
    retain_find_other(release, step->other);
    step->patch = patch_params(release, step);
    step_submit(step);
}

/* ---- beforeSwap -------------------------------------------------------------------------------------------------- */

/* The hook may have taken long, so the gate is asked again. It had the new file, so the swap verifies that again. */
static void hooked(struct release *release, int r, const struct hf_failure *failure)
{
    const char *message = NULL;
    enum hf_reason reason = HF_R_None;

    release->attempt.recheck = true;
    if (r == 0 && wanted_matches(release) && review_ask(release, &reason, &message) == HF_GATE_GO) {
        transition_event(release, HF_EV_GO, HF_R_Swapping, NULL);
        return;
    }
    update_engine_leave_turn(release);
    if (r < 0)
        failed(release, failure, 0);
    else
        update_engine_wake(release->engine);
}

void replace_begin_swap(struct release *release)
{
    if (!hooks_start(release, HF_HOOK_BEFORE_SWAP, hooked))
        transition_event(release, HF_EV_GO, HF_R_Swapping, NULL);
}

/* ---- swap -------------------------------------------------------------------------------------------------------- */

static int run_swap(struct step_job *step)
{
    return hf_swap_run(&step->swap, &step->failure);
}

static void swapped(struct release *release, struct step_job *step)
{
    if (step->job.r < 0) {
        transition_failure(release, HF_EV_FAILED, &step->failure);
        return;
    }
    release->j.probed = true;
    release->j.restarted = release->j.hooked = false;
    release->attempt.rollback_told = release->j.rebooted = false;
    boots_note(release);
    release->j.starts = 0;
    release->attempt.restart_tries = 0;
    transition_event(release, HF_EV_SWAPPED, HF_R_HealthPending, NULL);
}

void replace_swap(struct release *release)
{
    struct step_job *step = step_new(release, STEP_SWAP, run_swap, swapped);

    if (step == NULL) {
        transition_no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = step_swap_params(release, step);
    step_submit(step);
}
