/* SPDX-License-Identifier: Apache-2.0 */
/* The actions that bring the new file into place: fetch, patch, swap. */
#include <assert.h>
#include <string.h>

#include "share/share.h"
#include "steps/access.h"
#include "update/release.h"

enum { MAX_DELTA_FAILURES = 5 }; /* downloads of a delta that brought nothing, before the whole file is fetched */

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

    assert(release->j.phase == HF_PHASE_FETCHING && release->j.method != HF_METHOD_KEPT);
    release->step.fetch = NULL;
    step_end(release);
    if (engine->quiescing) /* the next process resumes from what is on disk */
        hf_steer_core_notify(&engine->core);
    else if (r == 0)
        transition_event(release, HF_EV_FETCHED, HF_R_Patching, NULL);
    else if (release->step.stopping)
        review_stopped(release);
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
    hf_share_progress(release->engine->p.share, release->j.sha256, release->attempt.received_bytes);
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

    return (struct hf_fetch_params){.clock = engine->p.world.clock,
                                    .sched = engine->p.world.sched,
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

/* ---- from a neighbour -------------------------------------------------------------------------------------------- */

/* Neighbours give the content as it is installed, by its hash, whichever way each of them got it: so one node fetches a
 * delta over the uplink, and the others, whatever they had before, fetch the whole over the site's own network. The
 * download from each neighbour is a file of its own (its key has the neighbour's name), so that a wrong one has one
 * culprit. */
static void neighbour_fetch(struct release *release);

/* This node goes to the origin. */
static void alone(struct release *release)
{
    struct delta_death none = {.times = 0};
    enum hf_reason reason = method_choose(release, &none);

    transition_event(release, HF_EV_FALL_BACK, reason, reason != HF_R_Downloading ? release->j.detour : NULL);
}

/* The neighbour is the cause, and not the disk of this node. */
static bool is_its_fault(enum hf_reason reason, bool *ret_wrong)
{
    *ret_wrong = reason == HF_R_ArtifactTooLong || reason == HF_R_ArtifactTooShort;
    return *ret_wrong || reason == HF_R_DownloadFailed || reason == HF_R_DownloadRefused ||
           reason == HF_R_DownloadTooSlow;
}

static void blame(struct release *release, bool wrong)
{
    const struct hf_update_params *p = &release->engine->p;
    const char *node = hf_share_blame(p->share, release->j.sha256, wrong);

    if (node != NULL && wrong && p->lied != NULL)
        p->lied(p->arg, release->j.name, release->j.version, node);
}

static void neighbour_fetched(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns,
                              HF_UNUSED bool hopeless)
{
    struct release *release = arg;
    struct hf_update_engine *engine = release->engine;
    bool wrong = false;

    assert(release->j.phase == HF_PHASE_FETCHING && release->j.method == HF_METHOD_NEIGHBOUR);
    release->step.fetch = NULL;
    step_end(release);
    if (engine->quiescing) {
        hf_steer_core_notify(&engine->core);
    } else if (r == 0) {
        transition_event(release, HF_EV_FETCHED, HF_R_Patching, NULL);
    } else if (release->step.stopping) {
        review_stopped(release);
    } else if (is_its_fault(failure->reason, &wrong)) {
        blame(release, wrong);
        neighbour_fetch(release);
    } else {
        retry_back_off(release, failure->reason, retry_after_ns);
        transition_failure(release, HF_EV_FAILED, failure);
    }
    hf_steer_core_unref(&engine->core);
}

static void set_key(struct release *release, const char *node)
{
    char hex[HF_SHA256_HEX];

    (void)snprintf(release->neighbour.key, sizeof(release->neighbour.key), "%s.%.32s", release->j.sha256,
                   hf_sha256_hex(node, strlen(node), hex));
}

static void fetch_from(struct release *release, const char *url, const char *node)
{
    struct hf_update_engine *engine = release->engine;
    struct hf_failure failure = {.reason = HF_R_RetryingLater};

    (void)snprintf(release->neighbour.url, sizeof(release->neighbour.url), "%s", url);
    set_key(release, node);
    const struct hf_fetch_params params = {.clock = engine->p.world.clock,
                                           .sched = engine->p.world.sched,
                                           .http = hf_share_http(engine->p.share),
                                           .target = step_target(release),
                                           .folder = release->folder,
                                           .url = release->neighbour.url,
                                           .replaceable = true,
                                           .key = release->neighbour.key,
                                           .exact = true,
                                           .size = release->j.size,
                                           .new_size = release->j.size,
                                           .done = neighbour_fetched,
                                           .arg = release};
    step_begin(release, STEP_FETCH);
    hf_steer_core_ref(&engine->core);
    if (hf_fetch_start(&params, &release->step.fetch, &failure.err) < 0) {
        step_end(release);
        retry_back_off(release, failure.reason, 0);
        transition_failure(release, HF_EV_FAILED, &failure);
        hf_steer_core_unref(&engine->core);
    }
}

static void decided(void *arg, const char *url, const char *node)
{
    struct release *release = arg;

    step_end(release);
    if (release->engine->quiescing)
        hf_steer_core_notify(&release->engine->core);
    else if (release->step.stopping)
        review_stopped(release);
    else if (url == NULL)
        alone(release);
    else
        fetch_from(release, url, node);
}

static void neighbour_fetch(struct release *release)
{
    struct hf_sharing *share = release->engine->p.share;

    if (!hf_share_is_on(share) || !hf_share_want(share, release->j.sha256, release->j.size, decided, release))
        alone(release);
    else
        step_begin(release, STEP_ASK);
}

static void neighbour_lied(struct release *release, const struct hf_failure *failure)
{
    blame(release, true);
    transition_failure(release, HF_EV_FALL_BACK, failure); /* with the same method: others are asked */
}

/* ---- fetch, by the method ---------------------------------------------------------------------------------------- */

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
    if (release->j.method == HF_METHOD_NEIGHBOUR) {
        neighbour_fetch(release);
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

    assert(release->j.method == HF_METHOD_DELTA);
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

    assert(!release->attempt.kept_failed); /* so this ends */
    release->attempt.kept_failed = true;
    (void)method_choose(release, &none);
    transition_failure(release, HF_EV_FALL_BACK, failure);
}

static void patched(struct release *release, struct step_job *step)
{
    assert(release->j.phase == HF_PHASE_PATCHING);
    if (step->job.r == 0 && step->patch.to_step)
        stepped(release, step);
    else if (step->job.r == 0)
        transition_event(release, HF_EV_PATCHED, HF_R_Verified, NULL);
    else if (release->step.stopping)
        review_stopped(release);
    else if (release->j.method == HF_METHOD_KEPT && !wanted_goes_back(release))
        kept_failed(release, &step->failure);
    else if (release->j.method == HF_METHOD_NEIGHBOUR && step->failure.reason == HF_R_HashMismatch)
        neighbour_lied(release, &step->failure);
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
    const struct hf_download raw = {.sha256 = j->sha256, .size = j->size};
    const struct hf_download *sent = j->method == HF_METHOD_NEIGHBOUR ? &raw : whole ? &artifact->download : NULL;
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
                                    .packed_sha256 = sent != NULL ? sent->sha256 : NULL,
                                    .packed_size = sent != NULL ? sent->size : 0,
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

    assert(release->j.phase == HF_PHASE_VERIFIED && update_engine_has_turn(release));
    release->attempt.recheck = true;
    if (r == 0 && wanted_matches(release) && review_ask(release, &reason, &message) == HF_GATE_GO) {
        transition_event(release, HF_EV_GO, HF_R_Swapping, NULL);
        return;
    }
    hf_steer_core_leave_turn(&release->engine->core, &release->machine);
    if (r < 0)
        failed(release, failure, 0);
    else
        hf_steer_core_wake(&release->engine->core);
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
    assert(release->j.phase == HF_PHASE_SWAPPING && !release->j.probed);
    if (step->job.r < 0) {
        transition_failure(release, HF_EV_FAILED, &step->failure);
        return;
    }
    release->j.probed = true;
    release->j.restarted = release->j.hooked = false;
    release->attempt.rollback_told = release->j.boots.happened = false;
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
