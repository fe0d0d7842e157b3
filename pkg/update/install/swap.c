/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at the target, swaps, undoes a swap, and cleans up, each of which a later process may repeat.
 *
 * Kind File: check the new file (if an earlier process verified it) and the old one by their hashes; give the old
 * file its second name; sync; rename the new file over the target; sync. Undo renames the second name back. Kind
 * Tree: the target is a link, so swap and undo make a new link beside it and rename that; a tree is compared with
 * its manifest before the link leads to it, also in an undo.
 *
 * A step that finds its work done syncs the folder nevertheless, because the process before may have died before its
 * sync. A swap replaces only what the update found at its start; otherwise it fails (-ESTALE). Undo and cleanup work
 * even if the folder has become unsafe, because they finish what has begun.
 *
 * Without the first sync, a power cut could keep the rename but lose the only name of the old file:
 *
 *   swap:     link(target, .old); fsync folder; rename(.new, target); fsync folder
 *   restore:  rename(.old, target); fsync folder             (after a first installation: unlink(target)) */
#include "update/install/swap.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "supervisor/state.h"
#include "update/install/tree.h"
#include "update/kept/kept.h"

enum { MAX_KEPT = 4 };

/* The open folder of the target, with the names of the update's files. */
struct swap_scene {
    const struct hf_swap_params *params;
    const struct hf_fs_ops *fs;
    struct hf_target_dir dir;
    char fresh[NAME_MAX + 1], old[NAME_MAX + 1], link[NAME_MAX + 1], part[NAME_MAX + 1], scratch[NAME_MAX + 1];
    char step[NAME_MAX + 1], point[NAME_MAX + 1];
    struct hf_failure *failure;
};

/* `finishes`: the step ends what has begun, so it must run even if the folder has become unsafe since. */
static int scene_open(struct swap_scene *scene, const struct hf_swap_params *params, bool finishes, char *missing,
                      struct hf_failure *failure)
{
    struct hf_target target = params->target;
    const char *release = params->target.release;

    *scene = (struct swap_scene){.params = params, .fs = params->target.fs, .dir = {.dirfd = -1}, .failure = failure};
    (void)hf_target_file_name(release, HF_TARGET_NEW, scene->fresh);
    (void)hf_target_file_name(release, HF_TARGET_OLD, scene->old);
    (void)hf_target_file_name(release, HF_TARGET_LINK, scene->link);
    (void)hf_target_file_name(release, HF_TARGET_PART, scene->part);
    (void)hf_target_file_name(release, HF_TARGET_SCRATCH, scene->scratch);
    (void)hf_target_file_name(release, HF_TARGET_STEP, scene->step);
    (void)hf_target_file_name(release, HF_TARGET_CHECKPOINT, scene->point);
    target.guard = target.guard && !finishes;
    return hf_target_open(&target, &scene->dir, missing, failure);
}

static void scene_done(struct swap_scene *scene)
{
    hf_target_dir_done(&scene->dir);
}

/* 1: exists, 0: absent, or -errno. */
static int look(const struct swap_scene *scene, const char *name, struct stat *st)
{
    int r;

    if (hf_target_stat(&scene->dir, name, st, &r))
        return 1;
    return r < 0 ? hf_failure_sys(scene->failure, r, "stat '%s'", name) : 0;
}

static int move(const struct swap_scene *scene, const char *from, const char *to)
{
    int r = scene->fs->renameat(scene->fs->ctx, scene->dir.dirfd, from, scene->dir.dirfd, to);

    if (r == -EBUSY)
        return hf_failure_set(scene->failure, hf_reason_of_errno(r), EBUSY,
                              "rename '%s' to '%s': a mount point cannot be replaced: mount the folder above the file, "
                              "not the file",
                              from, to);
    return r < 0 ? hf_failure_sys(scene->failure, r, "rename '%s' to '%s'", from, to)
                 : hf_target_sync(&scene->dir, scene->failure);
}

/* Reads the link `name`; "" if there is none. -EINVAL: it is not a link. */
static int read_link_at(const struct swap_scene *scene, const char *name, char text[HF_TARGET_MAX_PATH])
{
    ssize_t n = scene->fs->readlinkat(scene->fs->ctx, scene->dir.dirfd, name, text, HF_TARGET_MAX_PATH);

    text[0] = n >= 0 ? text[0] : '\0';
    if (n == -ENOENT)
        return 0;
    if (n == -EINVAL)
        return -EINVAL;
    if (n < 0 || n >= HF_TARGET_MAX_PATH)
        return hf_failure_sys(scene->failure, n < 0 ? (int)n : -ENAMETOOLONG, "read the link '%s'", name);
    text[n] = '\0';
    return 0;
}

/* The same for the target. */
static int read_link(const struct swap_scene *scene, char text[HF_TARGET_MAX_PATH])
{
    return read_link_at(scene, scene->dir.name, text);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static int wrong_type(const struct swap_scene *scene, mode_t mode)
{
    const char *path = scene->params->target.path;
    bool tree = scene->params->kind != HF_INSTALL_FILE;

    if (S_ISDIR(mode))
        return hf_failure_set(scene->failure, HF_R_TargetIsFolder, EISDIR, "'%.200s' is a folder", path);
    if (S_ISLNK(mode) && !tree)
        return hf_failure_set(scene->failure, HF_R_TargetIsLink, ELOOP, "'%.200s' is a symbolic link", path);
    if (S_ISREG(mode) && tree)
        return hf_failure_set(scene->failure, HF_R_TargetIsFile, ENOTDIR, "'%.200s' is a file", path);
    return S_ISREG(mode) || S_ISLNK(mode) ? 0
                                          : hf_failure_set(scene->failure, HF_R_TargetIsSpecial, EINVAL,
                                                           "'%.200s' is a device, socket or pipe", path);
}

static int look_at_space(const struct swap_scene *scene, struct hf_swap_inspection *inspection)
{
    struct statvfs vfs;
    struct stat st;
    int r = scene->fs->fstatvfs(scene->fs->ctx, scene->dir.dirfd, &vfs);

    if (r < 0)
        return hf_failure_sys(scene->failure, r, "read the free space");
    if ((vfs.f_flag & ST_RDONLY) != 0)
        return hf_failure_sys(scene->failure, -EROFS, "install to '%.200s'", scene->params->target.path);
    inspection->available_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    inspection->total_bytes = (uint64_t)vfs.f_blocks * vfs.f_frsize;
    r = look(scene, scene->part, &st);
    if (r > 0)
        inspection->staged_bytes += (uint64_t)st.st_blocks * 512;
    if (r >= 0)
        r = look(scene, scene->fresh, &st);
    if (r > 0)
        inspection->staged_bytes += (uint64_t)st.st_blocks * 512;
    return r < 0 ? r : 0;
}

/* An intermediate file of an earlier attempt: its hash tells which one it is. */
static int look_at_step(const struct swap_scene *scene, struct hf_swap_inspection *inspection)
{
    struct stat st;
    int r = look(scene, scene->step, &st);

    if (r <= 0 || !S_ISREG(st.st_mode))
        return HF_MIN(r, 0);
    inspection->step_bytes = (uint64_t)st.st_size;
    return hf_target_hash(&scene->dir, scene->step, scene->params->cancel, inspection->step_sha256, NULL,
                          scene->failure);
}

/* 1 if the tree in use may count as installed. The agent takes the tree of the new version as it is only after a full
 * check; of another tree it is enough that the folder exists, because a delta verifies its base. */
static int is_tree_right(const struct swap_scene *scene, const char *link)
{
    const struct hf_swap_params *params = scene->params;
    struct hf_install_manifest_look look = {.next = 0};
    char sha256[HF_SHA256_HEX];
    struct stat st;

    if (scene->fs->fstatat(scene->fs->ctx, scene->dir.dirfd, link, &st, 0) < 0)
        return 0;
    if (!hf_tree_link_parse(params->target.release, link, sha256) || strcmp(sha256, params->sha256) != 0)
        return 1;
    return hf_tree_verify(&scene->dir, link, params->records, HF_INSTALL_CHECK_FULL, &look, params->cancel,
                          scene->failure);
}

static int look_at_good(const struct swap_scene *scene, struct hf_swap_inspection *inspection)
{
    char good[HF_TARGET_MAX_PATH];
    int r = read_link_at(scene, HF_HOST_GOOD, good);

    inspection->unproven = r == 0 && strcmp(good, inspection->link) != 0;
    return r;
}

static int look_at_target(const struct swap_scene *scene, struct hf_swap_inspection *inspection)
{
    struct stat st;
    int r = look(scene, scene->dir.name, &st);

    if (r <= 0)
        return r;
    r = wrong_type(scene, st.st_mode);
    if (r < 0)
        return r;
    inspection->exists = true;
    if (scene->params->kind == HF_INSTALL_FILE)
        return hf_target_hash(&scene->dir, scene->dir.name, scene->params->cancel, inspection->sha256, NULL,
                              scene->failure);
    r = read_link(scene, inspection->link);
    if (r == 0 && scene->params->kind == HF_INSTALL_AGENT)
        r = look_at_good(scene, inspection);
    if (r < 0 || !hf_tree_link_parse(scene->params->target.release, inspection->link, inspection->sha256))
        return r;
    r = is_tree_right(scene, inspection->link);
    if (r == 0)
        inspection->sha256[0] = '\0';
    return HF_MIN(r, 0);
}

/* True if the agent can have made the second name: of a regular file that has no other names than the target and what
 * update/kept keeps, and that belongs to the agent or to the owner of what is installed. */
static bool is_our_old(const struct swap_scene *scene, const struct stat *old)
{
    struct stat target = {.st_uid = scene->params->target.uid};
    int there = look(scene, scene->dir.name, &target);
    bool same = there > 0 && target.st_ino == old->st_ino && target.st_dev == old->st_dev;

    nlink_t names = (nlink_t)(1 + same + hf_kept_names(&scene->dir, old));
    return S_ISREG(old->st_mode) && old->st_nlink == names &&
           (old->st_uid == scene->params->target.uid || old->st_uid == target.st_uid);
}

/* Deals with an old file whose second name exists although the journal records no swap. If the journal was lost, the
 * file is restored. Otherwise it is older than the committed one and goes, durably: an undo of the next swap would
 * restore it. */
static int end_orphan(const struct swap_scene *scene)
{
    const struct hf_swap_params *params = scene->params;
    struct stat st;
    int r = params->kind == HF_INSTALL_FILE ? look(scene, scene->old, &st) : 0;

    if (r <= 0)
        return r;
    r = !params->committed && is_our_old(scene, &st) ? move(scene, scene->old, scene->dir.name) : 0;
    /* If both were names of one file, the rename did nothing. */
    if (r == 0)
        r = hf_target_unlink(&scene->dir, scene->old, scene->failure);
    return r == 0 ? hf_target_sync(&scene->dir, scene->failure) : r;
}

int hf_swap_inspect(const struct hf_swap_params *params, struct hf_swap_inspection *ret_inspection,
                    struct hf_failure *failure)
{
    _cleanup_(scene_done) struct swap_scene scene;
    struct hf_swap_inspection inspection = {.exists = false};
    int r = scene_open(&scene, params, false, inspection.missing, failure);

    if (r == -ENOENT) {
        /* The folder does not exist yet: its free space shows when the update makes it. */
        inspection.available_bytes = inspection.total_bytes = UINT64_MAX;
        *ret_inspection = inspection;
        return 0;
    }
    if (r == 0)
        r = look_at_space(&scene, &inspection);
    if (r == 0)
        r = end_orphan(&scene);
    if (r == 0)
        r = look_at_target(&scene, &inspection);
    if (r == 0)
        r = look_at_step(&scene, &inspection);
    if (r < 0)
        return r;
    assert(inspection.exists || (inspection.sha256[0] == '\0' && inspection.link[0] == '\0'));
    assert(!inspection.unproven || params->kind == HF_INSTALL_AGENT);
    *ret_inspection = inspection;
    return 0;
}

/* ---- kind File --------------------------------------------------------------------------------------------------- */

/* 1: the file has this hash; 0: another one, or no such file; -errno. */
static int has_hash(const struct swap_scene *scene, const char *name, const char *sha256)
{
    char hex[HF_SHA256_HEX];
    struct stat st;
    int r = look(scene, name, &st);

    if (r <= 0 || !S_ISREG(st.st_mode))
        return r < 0 ? r : 0;
    r = hf_target_hash(&scene->dir, name, scene->params->cancel, hex, NULL, scene->failure);
    return r < 0 ? r : strcmp(hex, sha256) == 0;
}

static int changed(const struct swap_scene *scene)
{
    return hf_failure_set(scene->failure, HF_R_TargetChanged, ESTALE, "'%.200s' has changed since the update began",
                          scene->params->target.path);
}

/* Gives the old file its second name, durably. */
static int back_up(const struct swap_scene *scene)
{
    struct stat target, old;
    int there = look(scene, scene->dir.name, &target), kept = there < 0 ? there : look(scene, scene->old, &old), r;

    if (there < 0 || kept < 0)
        return there < 0 ? there : kept;
    if (!there)
        return changed(scene);
    if (kept && old.st_ino == target.st_ino && old.st_dev == target.st_dev)
        return hf_target_sync(&scene->dir, scene->failure);
    if (kept) {
        r = hf_target_unlink(&scene->dir, scene->old, scene->failure);
        if (r < 0)
            return r;
    }
    r = scene->fs->linkat(scene->fs->ctx, scene->dir.dirfd, scene->dir.name, scene->dir.dirfd, scene->old);
    if (r < 0) {
        (void)hf_failure_sys(scene->failure, r, "hard-link '%.200s'", scene->params->target.path);
        if (r == -EPERM || r == -EOPNOTSUPP || r == -EMLINK)
            scene->failure->reason = HF_R_SwapFailed;
        return r;
    }
    return hf_target_sync(&scene->dir, scene->failure);
}

static int swap_file(const struct swap_scene *scene)
{
    const struct hf_swap_params *params = scene->params;
    struct stat st;
    int fresh = look(scene, scene->fresh, &st), r;

    assert(!params->probed && (!params->had_old || params->old_sha256[0] != '\0'));
    if (fresh < 0)
        return fresh;
    if (!fresh) { /* done already, by a process that died before it could record it? */
        r = has_hash(scene, scene->dir.name, params->sha256);
        if (r == 0)
            return hf_failure_set(scene->failure, HF_R_SwapFailed, ESTALE, "the new file is gone");
        return r < 0 ? r : hf_target_sync(&scene->dir, scene->failure);
    }
    r = params->recheck ? has_hash(scene, scene->fresh, params->sha256) : 1;
    if (r == 0)
        return hf_failure_set(scene->failure, HF_R_HashMismatch, ESTALE,
                              "the new file has changed since it was verified");
    if (r > 0 && params->had_old)
        r = has_hash(scene, scene->dir.name, params->old_sha256);
    else if (r > 0) {
        r = look(scene, scene->dir.name, &st);
        r = r < 0 ? r : !r;
    }
    if (r == 0)
        return changed(scene);
    if (r > 0)
        r = params->had_old ? back_up(scene) : 0;
    return r < 0 ? r : move(scene, scene->fresh, scene->dir.name);
}

static int lost(const struct swap_scene *scene, const char *what)
{
    return hf_failure_set(scene->failure, HF_R_RollbackFailed, ESTALE, "'%.200s': %s", scene->params->target.path,
                          what);
}

static int restore_file(const struct swap_scene *scene)
{
    assert(scene->params->old_sha256[0] != '\0' && strcmp(scene->params->old_sha256, scene->params->sha256) != 0);
    struct stat st;
    int r = look(scene, scene->old, &st);

    if (r < 0)
        return r;
    if (r > 0) {
        r = move(scene, scene->old, scene->dir.name);
        /* If both were names of one file, the rename did nothing. */
        if (r == 0)
            r = hf_target_unlink(&scene->dir, scene->old, scene->failure);
        return r == 0 ? hf_target_sync(&scene->dir, scene->failure) : r;
    }
    /* Without `probed` the new file was never in place, and any file there belongs to somebody else. */
    r = scene->params->probed ? has_hash(scene, scene->dir.name, scene->params->old_sha256) : 1;
    if (r > 0)
        return hf_target_sync(&scene->dir, scene->failure);
    return r < 0 ? r : lost(scene, "somebody removed the second hard link of the old version");
}

static int remove_file(const struct swap_scene *scene)
{
    assert(!scene->params->had_old); /* else the old version would be gone */
    int r = has_hash(scene, scene->dir.name, scene->params->sha256);

    /* Another file at the target belongs to somebody else and stays. */
    if (r > 0)
        r = hf_target_unlink(&scene->dir, scene->dir.name, scene->failure);
    return r < 0 ? r : hf_target_sync(&scene->dir, scene->failure);
}

/* ---- kind Tree --------------------------------------------------------------------------------------------------- */

/* Replaces the target by a link with this text, atomically. */
static int flip(const struct swap_scene *scene, const char *text)
{
    assert(scene->params->kind != HF_INSTALL_FILE && text[0] != '\0');
    int r = hf_target_unlink(&scene->dir, scene->link, scene->failure);

    if (r < 0)
        return r;
    r = scene->fs->symlinkat(scene->fs->ctx, text, scene->dir.dirfd, scene->link);
    if (r < 0)
        return hf_failure_sys(scene->failure, r, "make the link to '%.200s'", text);
    return move(scene, scene->link, scene->dir.name);
}

/* The text of the link to the new tree. */
static const char *new_link(const struct swap_scene *scene, char text[HF_TARGET_MAX_PATH])
{
    const struct hf_swap_params *params = scene->params;
    char folder[HF_INSTALL_MANIFEST_VERSION];

    return hf_tree_link(
        params->target.release,
        hf_tree_folder(params->target.release, params->sha256, params->had_old ? params->old_link : "", folder), text);
}

static int swap_tree(const struct swap_scene *scene)
{
    const struct hf_swap_params *params = scene->params;
    struct hf_install_manifest_look seen = {.credit = -(int64_t)HF_INSTALL_MANIFEST_LOOK_BYTES};
    char now[HF_TARGET_MAX_PATH], wanted[HF_TARGET_MAX_PATH];
    struct stat st;
    int r = read_link(scene, now);

    if (r == -EINVAL)
        return changed(scene);
    if (r < 0)
        return r;
    r = look(scene, new_link(scene, wanted), &st);
    if (r == 0)
        return hf_failure_set(scene->failure, HF_R_SwapFailed, ESTALE, "the new tree is gone");
    if (r < 0)
        return r;
    if (strcmp(now, wanted) == 0)
        return hf_target_sync(&scene->dir, scene->failure);
    if (strcmp(now, params->had_old ? params->old_link : "") != 0)
        return changed(scene);
    r = hf_tree_verify(&scene->dir, wanted, params->records,
                       params->recheck ? HF_INSTALL_CHECK_FULL : HF_INSTALL_CHECK_QUICK, &seen, params->cancel,
                       scene->failure);
    if (r == 0)
        return hf_failure_set(scene->failure, HF_R_HashMismatch, ESTALE,
                              "the new tree has changed since it was verified: %s", seen.what);
    return r < 0 ? r : flip(scene, wanted);
}

/* Puts the old link back, but only if the old tree still is what its manifest says. A link that the agent did not make
 * has no manifest: it goes back as it was. */
static int restore_link(const struct swap_scene *scene, const char *old)
{
    const struct hf_swap_params *params = scene->params;
    struct hf_install_manifest_look seen = {.next = 0};
    char sha256[HF_SHA256_HEX];

    if (!hf_tree_link_parse(params->target.release, old, sha256))
        return flip(scene, old);
    int r =
        hf_tree_verify(&scene->dir, old, params->records, HF_INSTALL_CHECK_FULL, &seen, params->cancel, scene->failure);
    if (r != 0)
        return r < 0 ? r : flip(scene, old);
    return hf_failure_set(scene->failure, HF_R_RollbackFailed, ESTALE,
                          "the old tree has changed since it was installed: %s", seen.what);
}

static int restore_tree(const struct swap_scene *scene)
{
    char now[HF_TARGET_MAX_PATH], ours[HF_TARGET_MAX_PATH];
    const char *old = scene->params->had_old ? scene->params->old_link : "";
    int r = read_link(scene, now);

    if (r < 0)
        return r != -EINVAL ? r : scene->params->probed ? lost(scene, "somebody else replaced the link") : 0;
    if (strcmp(now, old) == 0)
        return hf_target_sync(&scene->dir, scene->failure);
    if (strcmp(now, new_link(scene, ours)) != 0)
        return !scene->params->probed ? 0 : lost(scene, "somebody else changed the link");
    if (old[0] != '\0')
        return restore_link(scene, old);
    r = hf_target_unlink(&scene->dir, scene->dir.name, scene->failure);
    return r < 0 ? r : hf_target_sync(&scene->dir, scene->failure);
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

int hf_swap_run(const struct hf_swap_params *params, struct hf_failure *failure)
{
    _cleanup_(scene_done) struct swap_scene scene;
    int r = scene_open(&scene, params, false, NULL, failure);

    if (r < 0)
        return r;
    return params->kind == HF_INSTALL_FILE ? swap_file(&scene) : swap_tree(&scene);
}

static int undo(const struct swap_scene *scene)
{
    if (scene->params->kind != HF_INSTALL_FILE)
        return restore_tree(scene);
    return scene->params->had_old ? restore_file(scene) : remove_file(scene);
}

/* Which trees stay: the one that the link names. With kind Agent also those to which the supervisor may fall back, and
 * the one before the update, because the supervisor moves its links meanwhile. */
static int find_kept(const struct swap_scene *scene, char texts[MAX_KEPT][HF_TARGET_MAX_PATH])
{
    static const char *const links[] = {HF_HOST_GOOD, HF_HOST_PREVIOUS};
    const struct hf_swap_params *params = scene->params;
    int r = read_link(scene, texts[0]);

    r = r == -EINVAL ? 0 : r;
    if (params->kind != HF_INSTALL_AGENT)
        return r;
    for (size_t i = 0; r >= 0 && i < HF_LEN(links); i++) {
        r = read_link_at(scene, links[i], texts[i + 1]);
        r = r == -EINVAL ? 0 : r;
    }
    (void)snprintf(texts[HF_LEN(links) + 1], HF_TARGET_MAX_PATH, "%s", params->had_old ? params->old_link : "");
    return r;
}

static int clean_trees(const struct swap_scene *scene)
{
    const struct hf_swap_params *params = scene->params;
    char texts[MAX_KEPT][HF_TARGET_MAX_PATH] = {{0}};
    const char *keep[MAX_KEPT];
    int r = find_kept(scene, texts);

    for (size_t i = 0; i < MAX_KEPT; i++)
        keep[i] = hf_tree_link_folder(params->target.release, texts[i]);
    if (r >= 0 && params->committed && keep[0][0] == '\0')
        return 0; /* somebody has removed the link to the committed tree: a repair makes it again */
    if (r >= 0)
        r = hf_tree_clean(&scene->dir, keep, MAX_KEPT, scene->failure);
    if (r >= 0 && params->records != NULL)
        r = hf_install_manifest_clean(scene->fs, params->records, keep, MAX_KEPT, scene->failure);
    return r;
}

static int clean(const struct swap_scene *scene)
{
    const char *const names[] = {scene->part,    scene->fresh, scene->point, scene->link,
                                 scene->scratch, scene->step,  scene->old};
    const struct hf_swap_params *params = scene->params;
    struct stat st;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < HF_LEN(names); i++) {
        r = look(scene, names[i], &st);
        if (r > 0)
            r = hf_target_unlink(&scene->dir, names[i], scene->failure);
    }
    if (r >= 0 && params->kind != HF_INSTALL_FILE) {
        r = clean_trees(scene);
    } else if (r >= 0 && params->records != NULL && params->had_old) { /* otherwise another version may be in place */
        const char *const keep[] = {params->sha256, params->old_sha256};
        r = hf_install_manifest_clean(scene->fs, params->records, keep, HF_LEN(keep), scene->failure);
    }
    /* Sync even if nothing was there: an earlier removal may not be durable yet. */
    return r >= 0 ? hf_target_sync(&scene->dir, scene->failure) : r;
}

int hf_swap_clean(const struct hf_swap_params *params, struct hf_failure *failure)
{
    _cleanup_(scene_done) struct swap_scene scene;
    int r = scene_open(&scene, params, true, NULL, failure);

    if (r == 0)
        r = clean(&scene);
    if (r < 0 && r != -ENOENT)
        return r;
    struct hf_target target = params->target;
    target.guard = false;
    return hf_target_remove_folders(&target, params->made_folder, failure);
}

int hf_swap_undo(const struct hf_swap_params *params, struct hf_failure *failure)
{
    _cleanup_(scene_done) struct swap_scene scene;
    int r = scene_open(&scene, params, true, NULL, failure);

    if (r == -ENOENT)
        return params->had_old ? hf_failure_set(failure, HF_R_RollbackFailed, ESTALE, "'%.200s': its folder is gone",
                                                params->target.path)
                               : 0;
    return r < 0 ? r : undo(&scene);
}

/* 1: the link is the old one, to the old tree, unchanged; 0: it is not; -errno. */
static int has_old_link(const struct swap_scene *scene)
{
    const struct hf_swap_params *params = scene->params;
    struct hf_install_manifest_look seen = {.next = 0};
    char now[HF_TARGET_MAX_PATH], sha256[HF_SHA256_HEX];
    int r = read_link(scene, now);

    if (r < 0)
        return r == -EINVAL ? 0 : r;
    if (strcmp(now, params->had_old ? params->old_link : "") != 0)
        return 0;
    if (!hf_tree_link_parse(params->target.release, now, sha256))
        return 1;
    return hf_tree_verify(&scene->dir, now, params->records, HF_INSTALL_CHECK_QUICK, &seen, params->cancel,
                          scene->failure);
}

int hf_swap_is_undone(const struct hf_swap_params *params, struct hf_failure *failure)
{
    _cleanup_(scene_done) struct swap_scene scene;
    struct stat st;
    int r = scene_open(&scene, params, true, NULL, failure);

    if (r == -ENOENT)
        return !params->had_old;
    if (r < 0)
        return r;
    if (params->kind != HF_INSTALL_FILE)
        return has_old_link(&scene);
    if (params->had_old)
        return has_hash(&scene, scene.dir.name, params->old_sha256);
    r = look(&scene, scene.dir.name, &st);
    return r < 0 ? r : !r;
}
