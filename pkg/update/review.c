/* May the wanted release be installed on this node now? Gathers the facts for the gate (rules/gate.h): signatures,
 * requirements, the floor, the path, the windows. */
#include <errno.h>
#include <string.h>

#include "update/release.h"
#include "update/state/floor.h"

void review_load_floor(struct release *release)
{
    struct hf_err err = HF_ERR_INIT;
    unsigned damaged;
    int r = hf_floor_load(release->engine->p.fs, release->folder, &release->review.floor, &damaged, &err);

    release->review.floor_known = r == 0;
    if (r < 0 || damaged > 0)
        hf_log_err(release->engine->p.log, HF_LOG_WARNING, "update.floor", "release", release->j.name, &err);
}

/* ---- signatures and requirements --------------------------------------------------------------------------------- */

static const enum hf_reason distrust_reasons[] = {[HF_TRUST_OK] = HF_R_None,
                                                  [HF_TRUST_NO_KEYS] = HF_R_NoTrustedKeys,
                                                  [HF_TRUST_UNKNOWN_KEY] = HF_R_UnknownKey,
                                                  [HF_TRUST_BAD_SIGNATURE] = HF_R_SignatureInvalid,
                                                  [HF_TRUST_BELOW_THRESHOLD] = HF_R_BelowThreshold,
                                                  [HF_TRUST_UNSIGNED] = HF_R_Unsigned};
_Static_assert(HF_LEN(distrust_reasons) == HF_TRUST_COUNT, "a verdict has no reason");

static void check_trust(struct release *release)
{
    const struct hf_update_params *p = &release->engine->p;
    struct release_review *review = &release->review;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_trust_check(p->fs, p->trust_dir, release->wanted.object, &verdict, &err);

    review->distrust = r < 0 ? HF_R_TrustUnreadable : distrust_reasons[verdict];
    if (review->distrust != HF_R_None)
        (void)hf_err_text(&err, review->message, sizeof(review->message));
}

/* The first field of the release that a pod cannot fulfil; NULL: none. A pod has only the programs of its image, and
 * only the devices below a host root that is mounted into it. */
static const char *beyond_pod(const struct hf_update_params *p, const struct hf_release *wanted,
                              const struct hf_artifact *artifact)
{
    if (wanted->install.restart_exec[0] != NULL)
        return "install.restart.exec";
    for (size_t i = 0; i < wanted->n_checks; i++)
        if (wanted->checks[i].kind == HF_CHECK_EXEC)
            return "health.checks.exec";
    return artifact->requires_.devices[0] != NULL && p->host_root == NULL ? "requires.devices" : NULL;
}

static enum hf_reason misfit_of(const struct hf_update_params *p, const struct hf_release *wanted, struct hf_err *err)
{
    const struct hf_artifact *artifact = hf_release_artifact(wanted, p->arch);
    const char *beyond = artifact != NULL && p->pod_mode ? beyond_pod(p, wanted, artifact) : NULL;

    if (artifact == NULL) {
        (void)hf_err_set(err, EOPNOTSUPP, "the release has no artifact for %s", p->arch);
        return HF_R_NoArtifactForArch;
    }
    if (beyond != NULL) {
        (void)hf_err_set(err, EOPNOTSUPP, "%s does not work in a pod: run the agent on the host", beyond);
        return HF_R_NotInPod;
    }
    return p->meets != NULL && p->meets(p->arg, &artifact->requires_, err) < 0 ? HF_R_RequirementsNotMet : HF_R_None;
}

static void check_fit(struct release *release)
{
    struct release_review *review = &release->review;
    struct hf_err err = HF_ERR_INIT;

    review->misfit = misfit_of(&release->engine->p, &release->wanted.object->release, &err);
    if (review->misfit != HF_R_None && review->distrust == HF_R_None)
        (void)snprintf(review->message, sizeof(review->message), "%.200s", err.cause);
}

/* ---- the path ---------------------------------------------------------------------------------------------------- */

enum claim { CLAIM_NONE, CLAIM_WANTED, CLAIM_INSTALLED };

/* INSTALLED: the release has something at the path, or is about to. WANTED: it waits to install there. */
static enum claim claim_of(const struct release *release, const char *path)
{
    const struct hf_journal *j = &release->j;

    if (strcmp(j->path, path) != 0 || wanted_no_more(release))
        return CLAIM_NONE;
    switch (j->phase) {
    case HF_PHASE_IDLE:
    case HF_PHASE_REJECTED:
    case HF_PHASE_INCOMPATIBLE:
        return CLAIM_NONE;
    case HF_PHASE_WAITING:
        return j->good_digest[0] != '\0' ? CLAIM_INSTALLED : CLAIM_WANTED;
    default:
        return CLAIM_INSTALLED;
    }
}

/* Two releases must not fight over one path: the one that has something there keeps it, else the first by name gets
 * it. */
static bool path_is_taken(const struct release *release, const char *path)
{
    const struct hf_strmap *releases = &release->engine->releases;
    enum claim ours = HF_MAX(claim_of(release, path), CLAIM_WANTED);

    for (size_t i = 0; i < releases->n; i++) {
        const struct release *other = releases->entries[i].value;
        enum claim theirs = other != release ? claim_of(other, path) : CLAIM_NONE;
        if (theirs > ours || (theirs == ours && strcmp(other->j.name, release->j.name) < 0))
            return true;
    }
    return false;
}

static enum hf_reason path_failure(const struct release *release)
{
    const struct hf_update_params *p = &release->engine->p;
    const char *path = release->wanted.object->release.install.path;
    struct hf_target target = {.fs = p->fs, .roots = p->roots, .path = path, .release = release->j.name};
    struct hf_failure failure;

    if (hf_target_check(&target, &failure) < 0)
        return failure.reason;
    return path_is_taken(release, path) ? HF_R_PathTaken : HF_R_None;
}

/* ---- the question ------------------------------------------------------------------------------------------------ */

static void refresh(struct release *release)
{
    struct release_review *review = &release->review;

    if (!review->current) {
        review->message[0] = '\0';
        check_trust(release);
        check_fit(release);
        review->current = review->distrust != HF_R_TrustUnreadable;
    }
    if (!review->floor_known)
        review_load_floor(release);
}

/* Which evidence is missing, so that no verdict is possible now. */
static enum hf_reason unsure_of(const struct release_review *review)
{
    if (review->distrust == HF_R_TrustUnreadable)
        return HF_R_TrustUnreadable;
    return review->floor_known ? HF_R_None : HF_R_IoError;
}

/* A window counts as open if it is open at each time that a witness shows. */
static enum hf_time_answer window_answer(const struct hf_edgeupdate *object, const struct hf_time_range *range)
{
    uint64_t ignored;

    if (object->n_windows == 0)
        return HF_TIME_YES;
    if (range->agreement == HF_TIME_UNKNOWN)
        return HF_TIME_UNSURE;
    bool open = hf_windows_open(object->windows, object->n_windows, range->estimate_unix_ns, &ignored);
    bool other = hf_windows_open(object->windows, object->n_windows, range->other_unix_ns, &ignored);
    if (open != other)
        return HF_TIME_UNSURE;
    return open ? HF_TIME_YES : HF_TIME_NO;
}

enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message)
{
    const struct hf_edgeupdate *object = release->wanted.object;
    const struct release_review *review = &release->review;
    const char *digest = object->release.digest;
    struct hf_time_range range = hf_clock_range(release->engine->p.clock);
    bool is_committed = strcmp(digest, release->j.good_digest) == 0;
    enum hf_time_answer expired = is_committed ? HF_TIME_NO : hf_time_has_come(&range, object->release.expires_unix_ns);
    enum hf_time_answer window = window_answer(object, &range);

    refresh(release);
    uint64_t floor = HF_MAX(review->floor, release->j.good_sequence);
    struct hf_gate_facts facts = {
        .distrust = review->distrust,
        .unsure = unsure_of(review),
        .below_floor = object->release.sequence < floor && !object->release.allow_downgrade && !is_committed,
        .expired = expired == HF_TIME_YES,
        .expiry_unsure = expired == HF_TIME_UNSURE,
        .rolled_back_before = strcmp(digest, release->j.bad_digest) == 0,
        .bad_path = path_failure(release),
        .misfit = review->misfit,
        .gate = release->wanted.gate,
        .suspended = object->suspend,
        .window_open = window == HF_TIME_YES,
        .window_unsure = window == HF_TIME_UNSURE,
    };
    enum hf_gate_verdict verdict = hf_gate_ask(&facts, ret_reason);
    bool is_ours = *ret_reason == review->distrust || *ret_reason == review->misfit;
    *ret_message = is_ours && review->message[0] != '\0' ? review->message : NULL;
    return verdict;
}
