/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of committed versions, and whether wanted content is on the disk: the engine's side of update/kept. */
#include <errno.h>
#include <string.h>

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

    retain_find_other(release, step->other);
    step->keep = (struct hf_kept_params){.target = step_target(release),
                                         .kind = j->kind,
                                         .records = release->folder,
                                         .sha256 = j->sha256,
                                         .size = j->size,
                                         .policy = release->engine->retain,
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

/* The version before, by its signed object. */
static void find_previous(struct step_job *step)
{
    const struct hf_update_params *p = &step->release->engine->p;
    struct hf_edgeupdate *previous = NULL;

    step->keep.previous_sha256 = step->previous_sha256;
    if (!step->keep.policy.previous || hf_committed_load_previous(p->fs, step->release->folder, &previous, NULL) < 0)
        return;
    const struct hf_artifact *artifact = hf_release_artifact(&previous->release, p->arch);
    if (artifact != NULL && previous->release.install.kind == step->keep.kind) {
        (void)snprintf(step->previous_sha256, sizeof(step->previous_sha256), "%s", artifact->sha256);
        step->keep.previous_size = artifact->size;
    }
    hf_edgeupdate_free(previous);
}

void retain_keep(struct step_job *step, bool just_committed)
{
    struct hf_failure failure = {.reason = HF_R_None, .err = HF_ERR_INIT};

    find_previous(step);
    step->keep.just_committed = just_committed;
    int r = hf_kept_keep(&step->keep, &failure);
    if (r < 0 && just_committed)
        hf_log_err(step->release->engine->p.log, HF_LOG_INFO, "update.kept", "release", step->release->j.name,
                   &failure.err);
}
