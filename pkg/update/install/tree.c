#include "update/install/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/strmap.h"
#include "os/dir.h"
#include "os/file.h"
#include "pack/tar/extract.h"

enum { STEP = 64 * 1024 };

/* ---- extracting -------------------------------------------------------------------------------------------------- */

/* Feeds the whole tar file to the extractor. */
static int feed(struct hf_extract *extract, const struct hf_fs_ops *fs, int tar_fd, const atomic_bool *cancel,
                struct hf_failure *failure)
{
    _cleanup_(hf_freep) char *bytes = malloc(STEP);
    int r = bytes == NULL ? -ENOMEM : 0;
    ssize_t n = 0;

    if (r < 0)
        return hf_failure_sys(failure, r, "extract");
    for (uint64_t at = 0; (n = fs->pread(fs->ctx, tar_fd, bytes, STEP, at)) > 0; at += (uint64_t)n) {
        if (cancel != NULL && atomic_load(cancel))
            return hf_failure_sys(failure, -ECANCELED, "extract");
        r = hf_extract_feed(extract, bytes, (size_t)n, &failure->err);
        if (r < 0)
            break;
    }
    if (n < 0)
        return hf_failure_sys(failure, (int)n, "read the archive");
    if (r == 0)
        r = hf_extract_finish(extract, &failure->err);
    if (r < 0)
        failure->reason = r == -EBADMSG || r == -E2BIG ? HF_R_ArchiveInvalid : hf_reason_of_errno(r);
    return r;
}

/* Takes the owner of the tree in use; without one, that of the new folder. */
static int find_owner(const struct hf_target_dir *dir, int top_fd, struct hf_extract_params *params,
                      struct hf_failure *failure)
{
    struct stat st;
    int r = dir->fs->fstatat(dir->fs->ctx, dir->dirfd, dir->name, &st, 0);

    if (r < 0)
        r = dir->fs->fstat(dir->fs->ctx, top_fd, &st);
    if (r < 0)
        return hf_failure_sys(failure, r, "stat the tree");
    params->uid = st.st_uid;
    params->gid = st.st_gid;
    return 0;
}

static int fill_folder(const struct hf_target_dir *dir, int trees_fd, const char *fresh, int tar_fd,
                       const atomic_bool *cancel, struct hf_failure *failure)
{
    _cleanup_(hf_target_fd_done) struct hf_target_fd top = {dir->fs, -1};
    _cleanup_(hf_extract_freep) struct hf_extract *extract = NULL;
    int r = hf_dir_remove_tree_at(dir->fs, trees_fd, fresh, &failure->err);

    if (r == 0)
        r = dir->fs->mkdirat(dir->fs->ctx, trees_fd, fresh, 0700);
    if (r < 0)
        return hf_failure_sys(failure, r, "make the tree's folder");
    top.fd = dir->fs->openat(dir->fs->ctx, trees_fd, fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                             HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (top.fd < 0)
        return hf_failure_sys(failure, top.fd, "open the tree's folder");
    struct hf_extract_params params = {.fs = dir->fs, .dirfd = top.fd, .rules = HF_EXTRACT_ANY};
    r = find_owner(dir, top.fd, &params, failure);
    if (r < 0)
        return r;
    r = hf_extract_new(&params, &extract, &failure->err);
    return r < 0 ? hf_failure_sys(failure, r, "extract") : feed(extract, dir->fs, tar_fd, cancel, failure);
}

struct folders {
    struct hf_strmap names;
};

static int note_folder(void *arg, const char *name, unsigned char type)
{
    struct folders *folders = arg;

    (void)type;
    return hf_strmap_put(&folders->names, name, NULL);
}

static void folders_done(struct folders *folders)
{
    hf_strmap_done(&folders->names);
}

static int open_trees(const struct hf_target_dir *dir, bool make)
{
    char trees[NAME_MAX + 1];

    (void)hf_target_file_name(dir->release, HF_TARGET_TREE, trees);
    if (make) {
        int r = dir->fs->mkdirat(dir->fs->ctx, dir->dirfd, trees, 0755);
        if (r < 0 && r != -EEXIST)
            return r;
    }
    return dir->fs->openat(dir->fs->ctx, dir->dirfd, trees, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                           HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

int hf_tree_make(const struct hf_target_dir *dir, int tar_fd, const char *sha256, const atomic_bool *cancel,
                 struct hf_failure *failure)
{
    _cleanup_(hf_target_fd_done) struct hf_target_fd trees = {dir->fs, -1};
    char fresh[HF_SHA256_HEX + 8];
    struct stat st;

    trees.fd = open_trees(dir, true);
    if (trees.fd < 0)
        return hf_failure_sys(failure, trees.fd, "open the trees' folder");
    (void)snprintf(fresh, sizeof(fresh), "%s.new", sha256);
    int r = dir->fs->fstatat(dir->fs->ctx, trees.fd, sha256, &st, AT_SYMLINK_NOFOLLOW);
    if (r == -ENOENT) {
        r = fill_folder(dir, trees.fd, fresh, tar_fd, cancel, failure);
        if (r < 0) {
            (void)!hf_dir_remove_tree_at(dir->fs, trees.fd, fresh, NULL);
            return r;
        }
        r = dir->fs->renameat(dir->fs->ctx, trees.fd, fresh, trees.fd, sha256);
    }
    if (r == 0)
        r = dir->fs->fsync(dir->fs->ctx, trees.fd);
    if (r < 0)
        return hf_failure_sys(failure, r, "finish the tree");
    return hf_target_sync(dir, failure);
}

/* ---- links and leftovers ----------------------------------------------------------------------------------------- */

const char *hf_tree_link(const char *release, const char *sha256, char text[HF_UPDATE_MAX_PATH])
{
    char trees[NAME_MAX + 1];

    (void)snprintf(text, HF_UPDATE_MAX_PATH, "%s/%s", hf_target_file_name(release, HF_TARGET_TREE, trees), sha256);
    return text;
}

bool hf_tree_link_parse(const char *release, const char *text, char sha256[HF_SHA256_HEX])
{
    char trees[NAME_MAX + 1];
    size_t n = strlen(hf_target_file_name(release, HF_TARGET_TREE, trees));

    if (strncmp(text, trees, n) != 0 || text[n] != '/' || strlen(text + n + 1) != HF_SHA256_HEX - 1 ||
        strspn(text + n + 1, "0123456789abcdef") != HF_SHA256_HEX - 1)
        return false;
    memcpy(sha256, text + n + 1, HF_SHA256_HEX);
    return true;
}

int hf_tree_clean(const struct hf_target_dir *dir, const char *keep_sha256, struct hf_failure *failure)
{
    _cleanup_(hf_target_fd_done) struct hf_target_fd trees = {dir->fs, open_trees(dir, false)};
    _cleanup_(folders_done) struct folders folders = {.names = {.n = 0}};
    char name[NAME_MAX + 1];

    if (trees.fd == -ENOENT)
        return 0;
    if (trees.fd < 0)
        return hf_failure_sys(failure, trees.fd, "open the trees' folder");
    int r = dir->fs->list(dir->fs->ctx, trees.fd, note_folder, &folders);
    size_t kept = 0;
    for (size_t i = 0; r == 0 && i < folders.names.n; i++) {
        const char *one = folders.names.entries[i].key;
        if (strcmp(one, keep_sha256) == 0)
            kept++;
        else
            r = hf_dir_remove_tree_at(dir->fs, trees.fd, one, &failure->err);
    }
    if (r == 0 && kept < folders.names.n)
        r = dir->fs->fsync(dir->fs->ctx, trees.fd);
    if (r == 0 && kept == 0) {
        r = dir->fs->unlinkat(dir->fs->ctx, dir->dirfd, hf_target_file_name(dir->release, HF_TARGET_TREE, name),
                              AT_REMOVEDIR);
        r = r == -ENOENT ? 0 : r;
    }
    return r < 0 ? hf_failure_sys(failure, r, "remove old trees") : 0;
}
