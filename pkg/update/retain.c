/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of committed versions, and whether wanted content is on the disk: the engine's side of update/kept. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/syncpolicy.h"
#include "share/share.h"
#include "update/kept/offer.h"
#include "update/release.h"
#include "update/state/committed.h"

/* In place and committed, or so it was at the last look: whoever takes it compares the hash. */
static bool has_content(const struct release *other, const char *sha256)
{
    const struct hf_journal *j = &other->j;

    return release_is_known(other) && j->phase == HF_PHASE_COMMITTED && j->kind == HF_INSTALL_FILE &&
           strcmp(j->sha256, sha256) == 0;
}

void retain_find_other(const struct release *release, char other[HF_TARGET_MAX_PATH])
{
    const struct hf_strmap *releases = &release->engine->releases;

    other[0] = '\0';
    for (size_t i = 0; release->j.kind == HF_INSTALL_FILE && i < releases->n; i++) {
        const struct release *one = releases->entries[i].value;
        if (one == release || !has_content(one, release->j.sha256))
            continue;
        (void)snprintf(other, HF_TARGET_MAX_PATH, "%s", one->j.path);
        return;
    }
}

static enum hf_kept_room room_of(const struct hf_update_params *p, const char *path)
{
    struct hf_err err = HF_ERR_INIT;

    if (p->disk_critical != NULL && p->disk_critical(p->arg, path, &err))
        return HF_KEPT_CRITICAL;
    return p->disk_warned != NULL && p->disk_warned(p->arg, path) ? HF_KEPT_WARN : HF_KEPT_ROOM;
}

void retain_prepare(const struct release *release, struct step_job *step)
{
    const struct hf_journal *j = &release->j;
    struct hf_kept_policy policy = release->engine->retain;

    if (j->boots.left > 0 || j->boots.verdict == HF_BOOTS_BAD) { /* the way back, whatever the policy says */
        policy.previous = true;
        policy.max_bytes = HF_MAX(policy.max_bytes, HF_RETAIN_MAX_BYTES);
    }
    retain_find_other(release, step->other);
    step->keep = (struct hf_kept_params){.target = step_target(release),
                                         .kind = j->kind,
                                         .records = release->folder,
                                         .sha256 = j->sha256,
                                         .size = j->size,
                                         .wanted_sha256 = j->phase == HF_PHASE_WAITING ? j->sha256 : "",
                                         .policy = policy,
                                         .room = room_of(&release->engine->p, j->path),
                                         .cancel = &step->job.cancel};
}

int retain_find(struct step_job *step)
{
    const struct hf_kept_params *keep = &step->keep;
    const struct hf_kept_want want = {.kind = keep->kind,
                                      .sha256 = keep->sha256,
                                      .size = keep->size,
                                      .link = step->inspection.link,
                                      .other = step->other,
                                      .target = keep->target,
                                      .cancel = keep->cancel};
    struct hf_target_dir dir;
    int r = hf_target_open(&keep->target, &dir, NULL, &step->failure);

    step->kept = HF_KEPT_NOWHERE;
    if (r < 0)
        return r == -ENOENT ? 0 : r; /* the folder is missing, and with it what was kept there */
    step->kept = hf_kept_find(&want, &dir);
    hf_target_dir_done(&dir);
    return 0;
}

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? (size_t)(slash - path) : 0;
}

/* True: what is kept of `object` lies in another folder than that of the committed version. */
static bool is_elsewhere(const struct step_job *step, const struct hf_edgeupdate *object, struct hf_target *ret_target)
{
    const struct release *release = step->release;
    const struct hf_install *install = &object->release.install;
    const char *here = step->keep.target.path;

    *ret_target =
        self_target_of(release->engine, install->kind, self_path_of(release->engine, install), release->j.name);
    size_t n = folder_length(ret_target->path);
    return n != folder_length(here) || strncmp(ret_target->path, here, n) != 0;
}

void retain_drop_former(struct step_job *step)
{
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *previous = NULL;
    struct hf_kept_params former = {.sha256 = "", .previous_sha256 = "", .wanted_sha256 = ""};
    struct hf_failure ignored = {.reason = HF_R_None};

    if (hf_committed_load_previous(step->release->engine->p.world.fs, step->release->folder, &previous, NULL) == 0 &&
        is_elsewhere(step, previous, &former.target))
        (void)!hf_kept_trim(&former, &ignored);
}

/* The version before, by its signed object. */
static void find_previous(struct step_job *step, struct hf_kept_params *keep)
{
    const struct hf_update_params *p = &step->release->engine->p;
    struct hf_edgeupdate *previous = NULL;
    struct hf_target target;

    keep->previous_sha256 = step->previous_sha256;
    if (!keep->policy.previous && !keep->policy.unread)
        return;
    int r = hf_committed_load_previous(p->world.fs, step->release->folder, &previous, NULL);
    keep->previous_unknown = r < 0 && r != -ENOENT && r != -EBADMSG;
    const struct hf_artifact *artifact = r == 0 ? hf_release_artifact(&previous->release, p->arch) : NULL;
    if (artifact != NULL && previous->release.install.kind == keep->kind && !is_elsewhere(step, previous, &target)) {
        (void)snprintf(step->previous_sha256, sizeof(step->previous_sha256), "%s", artifact->sha256);
        keep->previous_size = artifact->size;
    }
    hf_edgeupdate_free(previous);
}

void retain_keep(struct step_job *step, bool just_committed)
{
    struct hf_failure failure = {.reason = HF_R_None, .err = HF_ERR_INIT};

    find_previous(step, &step->keep);
    step->keep.just_committed = just_committed;
    int r = hf_kept_keep(&step->keep, &failure);
    if (r < 0 && just_committed)
        hf_log_err(step->release->engine->p.world.log, HF_LOG_INFO, "update.kept", "release", step->release->j.name,
                   &failure.err);
}

bool retain_take_committed(const struct release *release, const struct hf_edgeupdate *committed,
                           struct hf_kept_params *keep)
{
    const struct hf_install *install = &committed->release.install;
    const struct hf_artifact *artifact = hf_release_artifact(&committed->release, release->engine->p.arch);

    if (artifact == NULL)
        return false;
    keep->target =
        self_target_of(release->engine, install->kind, self_path_of(release->engine, install), release->j.name);
    keep->kind = install->kind;
    keep->sha256 = artifact->sha256;
    keep->size = artifact->size;
    return true;
}

void retain_trim(struct step_job *step)
{
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *committed = NULL;
    const struct release *release = step->release;
    struct hf_kept_params keep = step->keep;
    struct hf_failure ignored = {.reason = HF_R_None};

    if (step->committed_digest[0] == '\0' ||
        hf_committed_load(release->engine->p.world.fs, release->folder, step->committed_digest, &committed, NULL) < 0 ||
        !retain_take_committed(release, committed, &keep))
        return;
    find_previous(step, &keep);
    (void)!hf_kept_trim(&keep, &ignored);
}

/* ---- without a look ---------------------------------------------------------------------------------------------- */

static int run_apply(struct step_job *step)
{
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *committed = NULL;
    const struct release *release = step->release;
    struct hf_failure ignored = {.reason = HF_R_None};

    if (hf_committed_load(release->engine->p.world.fs, release->folder, step->committed_digest, &committed, NULL) < 0 ||
        !retain_take_committed(release, committed, &step->keep))
        return 0;
    if (!step->keep.unwanted) {
        retain_keep(step, false);
        return 0;
    }
    find_previous(step, &step->keep);
    return hf_kept_trim(&step->keep, &ignored);
}

static void applied(struct release *release, HF_UNUSED struct step_job *step)
{
    hf_steer_core_wake(&release->engine->core);
}

void retain_want(struct release *release)
{
    release->drift.keep_wanted = release->j.good_digest[0] != '\0';
}

bool retain_consider(struct release *release)
{
    struct release_drift *drift = &release->drift;
    bool unwanted = release->wanted.object == NULL;

    if (!drift->keep_wanted || (!hf_phase_rests(release->j.phase) && release->j.phase != HF_PHASE_WAITING))
        return false;
    if (!unwanted && !wanted_held(release)) { /* the next look does it */
        drift->keep_wanted = false;
        return false;
    }
    struct step_job *step = step_new(release, STEP_CLEAN, run_apply, applied);
    if (step == NULL)
        return false;
    drift->keep_wanted = false;
    memcpy(step->committed_digest, release->j.good_digest, sizeof(step->committed_digest));
    retain_prepare(release, step);
    step->keep.unwanted = unwanted;
    step_submit(step);
    return true;
}

/* ---- for neighbours ---------------------------------------------------------------------------------------------- */

struct neighbour_found {
    struct hf_steer_core *core; /* the roots of the target are the engine's */
    struct hf_kept_offer offer;
    char sha256[HF_SHA256_HEX], release[NAME_MAX + 1], path[HF_TARGET_MAX_PATH];
};

static bool may_serve(const struct release *release, const char *sha256)
{
    const struct hf_journal *j = &release->j;
    const struct hf_edgeupdate *object =
        release->wanted.accepted != NULL ? release->wanted.accepted : release->wanted.object;

    if (!release_is_known(release) || strcmp(j->sha256, sha256) != 0 || object == NULL ||
        (j->phase != HF_PHASE_VERIFIED && j->phase != HF_PHASE_SWAPPING && j->phase != HF_PHASE_PROBATION &&
         j->phase != HF_PHASE_COMMITTED))
        return false;
    const struct hf_artifact *artifact = hf_release_artifact(&object->release, release->engine->p.arch);
    return artifact != NULL && strcmp(artifact->sha256, sha256) == 0 && !method_is_private(release->engine, artifact);
}

static void *find(void *arg, const char *sha256, uint64_t *ret_size)
{
    struct hf_update_engine *engine = arg;
    struct neighbour_found *found;
    size_t i = 0;

    while (i < engine->releases.n && !may_serve(engine->releases.entries[i].value, sha256))
        i++;
    found = i < engine->releases.n ? calloc(1, sizeof(*found)) : NULL;
    if (found == NULL)
        return NULL;
    const struct release *release = engine->releases.entries[i].value;
    found->core = &engine->core;
    hf_steer_core_ref(found->core);
    found->offer = (struct hf_kept_offer){
        .target = step_target(release), .kind = release->j.kind, .sha256 = found->sha256, .size = release->j.size};
    (void)snprintf(found->sha256, sizeof(found->sha256), "%s", sha256);
    (void)snprintf(found->release, sizeof(found->release), "%s", found->offer.target.release);
    (void)snprintf(found->path, sizeof(found->path), "%s", found->offer.target.path);
    found->offer.target.release = found->release;
    found->offer.target.path = found->path;
    assert(strcmp(release->j.sha256, found->sha256) == 0);
    *ret_size = release->j.size;
    return found;
}

static int open_found(void *arg)
{
    const struct neighbour_found *found = arg;
    struct hf_failure ignored = {.reason = HF_R_None};

    return hf_kept_offer(&found->offer, &ignored);
}

static void drop(void *arg)
{
    struct neighbour_found *found = arg;

    hf_steer_core_unref(found->core);
    free(found);
}

void retain_serve(struct hf_update_engine *engine, bool on)
{
    const struct hf_share_store store = {.find = find, .open = open_found, .drop = drop, .arg = engine};

    if (engine->p.share != NULL)
        hf_share_serve(engine->p.share, on ? &store : NULL);
}
