/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the folder of the target step by step from the root, and works on files in it by descriptor.
 *
 * The text of the path is checked first. Then the root is opened (it may contain links, because the operator chose
 * it), and each folder below it relative to the one before, without links. With `guard`, each folder on the way must
 * be one in which no other user can rename files. So nothing that somebody swaps on the way leads elsewhere, and all
 * later work uses the descriptor of the folder, never the path again.
 *
 * Folders that are made, and those found while others are made, are synced, because a process that was killed may
 * have made them without its sync. A file of an earlier attempt is used only if the agent can have made it, judged
 * before and after the open; anything else under its name is removed unread. Reading stops at a file that is longer
 * than its file system: its owner could make it endless. */
#include "steps/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "codec/sha256.h"
#include "os/dir.h"
#include "os/file.h"
#include "steps/guard.h"

enum { STEP = 64 * 1024, ASK_EVERY = 64 << 20 };

void hf_target_dir_done(struct hf_target_dir *dir)
{
    if (dir->fs != NULL && dir->dirfd >= 0)
        (void)dir->fs->close(dir->fs->ctx, dir->dirfd);
    dir->dirfd = -1;
}

/* ---- roots ------------------------------------------------------------------------------------------------------- */

static bool normal(const char *path)
{
    size_t n = strlen(path);

    if (path[0] != '/' || n < 2 || n >= HF_TARGET_MAX_PATH || path[n - 1] == '/')
        return false;
    for (const char *at = path; at != NULL; at = strchr(at + 1, '/')) {
        size_t part = strcspn(at + 1, "/");
        if (part == 0 || part > NAME_MAX || (part == 1 && at[1] == '.') || (part == 2 && at[1] == '.' && at[2] == '.'))
            return false;
    }
    return true;
}

size_t hf_target_root(const struct hf_target *target, const char **ret_root)
{
    size_t best = 0;

    for (size_t i = 0; target->roots[i] != NULL; i++) {
        size_t n = strlen(target->roots[i]);
        while (n > 0 && target->roots[i][n - 1] == '/')
            n--;
        if (n >= best && strncmp(target->path, target->roots[i], n) == 0 && target->path[n] == '/') {
            best = n;
            *ret_root = target->roots[i];
        }
    }
    return best;
}

int hf_target_check(const struct hf_target *target, struct hf_failure *failure)
{
    const char *root = NULL;

    if (!normal(target->path))
        return hf_failure_set(failure, HF_R_PathNotAllowed, EACCES,
                              "install.path '%.200s' is not a normal absolute path", target->path);
    (void)hf_target_root(target, &root);
    if (root == NULL)
        return hf_failure_set(failure, HF_R_PathNotAllowed, EACCES,
                              "install.path '%.200s' is not below an allowed root", target->path);
    return 0;
}

static int path_failure(struct hf_failure *failure, int r, const char *what, const char *path)
{
    (void)hf_failure_sys(failure, r, "%s '%.200s'", what, path);
    if (r == -ENOSYS)
        failure->reason = HF_R_KernelTooOld;
    return r;
}

/* Opens the root. *ret_rest is the path from there ("a/b/target"). */
static int open_root(const struct hf_target *target, bool make, const char **ret_rest, struct hf_failure *failure)
{
    char path[PATH_MAX];
    const char *root = NULL;
    int r = hf_target_check(target, failure);

    if (r < 0)
        return r;
    size_t n = hf_target_root(target, &root);
    const char *host = target->host_root != NULL ? target->host_root : "";
    (void)snprintf(path, sizeof(path), "%s%.*s", host, (int)n, root);
    if (path[0] == '\0')
        (void)snprintf(path, sizeof(path), "/");
    *ret_rest = target->path + n + 1;
    if (make) {
        r = hf_dir_make(target->fs, path, 0755, &failure->err);
        if (r < 0) {
            failure->reason = hf_reason_of_errno(r);
            return r;
        }
    }
    int fd = target->fs->openat(target->fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return path_failure(failure, fd, "open root", path);
    r = target->guard ? hf_guard_above(target->fs, fd, target->uid, path, failure) : 0;
    if (r == 0)
        return fd;
    (void)target->fs->close(target->fs->ctx, fd);
    return r;
}

/* Opens the folder `name` in dirfd without following a link. */
static int open_folder(const struct hf_fs_ops *fs, int dirfd, const char *name)
{
    return fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                      HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

static int make_folder(const struct hf_fs_ops *fs, int dirfd, const char *name)
{
    int r = fs->mkdirat(fs->ctx, dirfd, name, 0755);

    if (r < 0 && r != -EEXIST)
        return r;
    r = fs->fsync(fs->ctx, dirfd);
    return r == -EINVAL ? 0 : r;
}

/* Makes the name of a folder in dirfd durable. A process that was killed may have made it and died before its sync. */
static int sync_found(const struct hf_fs_ops *fs, int dirfd)
{
    int r = fs->fsync(fs->ctx, dirfd);

    return r == -EINVAL || r == -ENOTSUP || r == -EROFS ? 0 : r;
}

/* Checks the open folder in which `rest` begins, and closes it if it is unsafe. */
static int guard_open(const struct hf_target *target, int fd, const char *rest, struct hf_failure *failure)
{
    char folder[HF_TARGET_MAX_PATH];

    if (!target->guard)
        return 0;
    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(rest - target->path - 1), target->path);
    int r = hf_guard_folder(target->fs, fd, target->uid, folder[0] != '\0' ? folder : "/", failure);
    if (r < 0)
        (void)target->fs->close(target->fs->ctx, fd);
    return r;
}

/* Walks down to the folder of the target; makes missing folders if `make`. */
static int descend(const struct hf_target *target, bool make, struct hf_target_dir *dir, char *missing,
                   struct hf_failure *failure)
{
    const char *rest = NULL;
    int fd = open_root(target, make, &rest, failure);

    if (fd == -ENOENT && missing != NULL) { /* the root itself stays once it exists */
        const char *slash = strchr(rest, '/');
        (void)snprintf(missing, HF_TARGET_MAX_PATH, "%.*s", slash == NULL ? 0 : (int)(slash - target->path),
                       target->path);
    }
    if (fd < 0)
        return fd;
    for (const char *slash; (slash = strchr(rest, '/')) != NULL; rest = slash + 1) {
        char part[NAME_MAX + 1];
        if (guard_open(target, fd, rest, failure) < 0)
            return -EACCES;
        (void)snprintf(part, sizeof(part), "%.*s", (int)(slash - rest), rest);
        int next = open_folder(target->fs, fd, part), r = 0;
        if (next == -ENOENT && make) {
            r = make_folder(target->fs, fd, part);
            next = r < 0 ? r : open_folder(target->fs, fd, part);
        } else if (next >= 0 && make && (r = sync_found(target->fs, fd)) < 0) {
            (void)target->fs->close(target->fs->ctx, next);
            next = r;
        }
        (void)target->fs->close(target->fs->ctx, fd);
        if (next < 0) {
            if (next == -ENOENT && missing != NULL)
                (void)snprintf(missing, HF_TARGET_MAX_PATH, "%.*s", (int)(slash - target->path), target->path);
            return path_failure(failure, next, "open the folder of", target->path);
        }
        fd = next;
    }
    if (guard_open(target, fd, rest, failure) < 0)
        return -EACCES;
    *dir = (struct hf_target_dir){
        .fs = target->fs, .dirfd = fd, .release = target->release, .uid = target->uid, .guard = target->guard};
    (void)snprintf(dir->name, sizeof(dir->name), "%s", rest);
    return 0;
}

int hf_target_open(const struct hf_target *target, struct hf_target_dir *ret_spot, char missing[HF_TARGET_MAX_PATH],
                   struct hf_failure *failure)
{
    return descend(target, false, ret_spot, missing, failure);
}

int hf_target_make_folders(const struct hf_target *target, struct hf_failure *failure)
{
    struct hf_target_dir dir;
    int r = descend(target, true, &dir, NULL, failure);

    if (r == 0)
        hf_target_dir_done(&dir);
    return r;
}

int hf_target_remove_folders(const struct hf_target *target, const char *made, struct hf_failure *failure)
{
    char folder[HF_TARGET_MAX_PATH];
    size_t least = strlen(made);

    if (least == 0)
        return 0;
    (void)hf_dir_of_path(target->path, folder, sizeof(folder));
    while (strlen(folder) >= least && strncmp(folder, made, least) == 0) {
        struct hf_target up = *target;
        struct hf_target_dir dir;
        up.path = folder;
        int r = hf_target_open(&up, &dir, NULL, failure);
        if (r == 0) {
            r = target->fs->unlinkat(target->fs->ctx, dir.dirfd, dir.name, AT_REMOVEDIR);
            int synced = r == 0 || r == -ENOENT ? hf_target_sync(&dir, failure) : 0;
            hf_target_dir_done(&dir);
            if (r == -ENOTEMPTY || r == -EEXIST)
                return 0;
            if (r < 0 && r != -ENOENT)
                return path_failure(failure, r, "remove folder", folder);
            if (synced < 0)
                return synced;
        } else if (r != -ENOENT) {
            return r;
        }
        *strrchr(folder, '/') = '\0';
    }
    return 0;
}

/* ---- names beside the target ------------------------------------------------------------------------------------- */

const char *hf_target_file_name(const char *release, enum hf_target_file stage, char name[NAME_MAX + 1])
{
    static const char *const suffixes[HF_TARGET_COUNT] = {
        [HF_TARGET_PART] = "part", [HF_TARGET_NEW] = "new",          [HF_TARGET_OLD] = "old",
        [HF_TARGET_LINK] = "link", [HF_TARGET_TREE] = "tree",        [HF_TARGET_SCRATCH] = "scratch",
        [HF_TARGET_STEP] = "step", [HF_TARGET_CHECKPOINT] = "point", [HF_TARGET_KEPT] = "kept"};
    char hex[HF_SHA256_HEX];

    /* Object names may be longer than file names. */
    if (strlen(release) > NAME_MAX - 32)
        release = hf_sha256_hex(release, strlen(release), hex);
    (void)snprintf(name, NAME_MAX + 1, ".holdfast-%s.%s", release, suffixes[stage]);
    return name;
}

/* ---- files in the folder of the target --------------------------------------------------------------------------- */

bool hf_target_stat(const struct hf_target_dir *dir, const char *name, struct stat *ret, int *ret_r)
{
    int r = dir->fs->fstatat(dir->fs->ctx, dir->dirfd, name, ret, AT_SYMLINK_NOFOLLOW);

    *ret_r = r == -ENOENT ? 0 : r;
    return r == 0;
}

int hf_target_unlink(const struct hf_target_dir *dir, const char *name, struct hf_failure *failure)
{
    int r = dir->fs->unlinkat(dir->fs->ctx, dir->dirfd, name, 0);

    return r < 0 && r != -ENOENT ? hf_failure_sys(failure, r, "remove '%s'", name) : 0;
}

int hf_target_sync(const struct hf_target_dir *dir, struct hf_failure *failure)
{
    int r = dir->fs->fsync(dir->fs->ctx, dir->dirfd);

    /* As in hf_dir_sync(): some file systems cannot sync folders. */
    return r < 0 && r != -EINVAL && r != -ENOTSUP ? hf_failure_sys(failure, r, "sync the folder of '%s'", dir->name)
                                                  : 0;
}

int hf_target_open_file(const struct hf_target_dir *dir, const char *name, int flags, struct hf_failure *failure)
{
    struct stat st;
    int fd = dir->fs->openat(dir->fs->ctx, dir->dirfd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600,
                             HF_FS_BENEATH | HF_FS_NO_SYMLINKS);

    if (fd < 0)
        return hf_failure_sys(failure, fd, "open '%s'", name);
    int r = dir->fs->fstat(dir->fs->ctx, fd, &st);
    if (r == 0 && S_ISREG(st.st_mode))
        return fd;
    (void)dir->fs->close(dir->fs->ctx, fd);
    return r < 0 ? hf_failure_sys(failure, r, "stat '%s'", name)
                 : hf_failure_set(failure, HF_R_TargetIsSpecial, EINVAL, "'%s' is not a regular file", name);
}

static bool is_ours(const struct hf_target_dir *dir, const struct stat *st, uid_t also_uid)
{
    return S_ISREG(st->st_mode) && st->st_nlink == 1 && (st->st_uid == dir->uid || st->st_uid == also_uid);
}

int hf_target_take_file(const struct hf_target_dir *dir, const char *name, uid_t also_uid, struct hf_failure *failure)
{
    struct stat before, st;
    int r;

    if (!hf_target_stat(dir, name, &before, &r))
        return r < 0 ? hf_failure_sys(failure, r, "stat '%s'", name) : -ENOENT;
    int fd = is_ours(dir, &before, also_uid)
                 ? dir->fs->openat(dir->fs->ctx, dir->dirfd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0,
                                   HF_FS_BENEATH | HF_FS_NO_SYMLINKS)
                 : -ENOENT;
    if (fd < 0 && fd != -ENOENT && fd != -ELOOP)
        return hf_failure_sys(failure, fd, "open '%s'", name);
    if (fd >= 0 && dir->fs->fstat(dir->fs->ctx, fd, &st) == 0 && is_ours(dir, &st, also_uid))
        return fd;
    if (fd >= 0)
        (void)dir->fs->close(dir->fs->ctx, fd);
    r = S_ISDIR(before.st_mode) ? hf_dir_remove_tree_at(dir->fs, dir->dirfd, name, &failure->err)
                                : hf_target_unlink(dir, name, failure);
    return r < 0 ? r : -ENOENT;
}

int hf_target_make_file(const struct hf_target_dir *dir, const char *name, struct hf_failure *failure)
{
    int r = hf_target_unlink(dir, name, failure);

    return r < 0 ? r : hf_target_open_file(dir, name, O_RDWR | O_CREAT | O_EXCL, failure);
}

/* True for a file with more bytes than its file system has: its owner made it of holes, or makes it grow while it is
 * read, and to read it would take years. */
static bool is_endless(const struct hf_fs_ops *fs, int fd, uint64_t at)
{
    struct statvfs vfs;

    return fs->fstatvfs(fs->ctx, fd, &vfs) == 0 && vfs.f_blocks > 0 && at > (uint64_t)vfs.f_blocks * vfs.f_frsize;
}

int hf_target_hash_fd(const struct hf_fs_ops *fs, int fd, const atomic_bool *cancel, char hex[HF_SHA256_HEX],
                      uint64_t *ret_size, struct hf_failure *failure)
{
    _cleanup_(hf_freep) unsigned char *bytes = malloc(STEP);
    struct hf_sha256 hash;
    uint64_t at = 0, ask_at = ASK_EVERY;

    if (bytes == NULL)
        return hf_failure_sys(failure, -ENOMEM, "read");
    hf_sha256_init(&hash);
    for (;;) {
        if (cancel != NULL && atomic_load(cancel))
            return hf_failure_sys(failure, -ECANCELED, "read");
        if (at >= ask_at && is_endless(fs, fd, at))
            return hf_failure_sys(failure, -EFBIG, "read");
        ask_at = at >= ask_at ? at + ASK_EVERY : ask_at;
        ssize_t n = fs->pread(fs->ctx, fd, bytes, STEP, at);
        if (n < 0)
            return hf_failure_sys(failure, (int)n, "read");
        if (n == 0)
            break;
        hf_sha256_update(&hash, bytes, (size_t)n);
        at += (uint64_t)n;
    }
    (void)hf_sha256_final_hex(&hash, hex);
    if (ret_size != NULL)
        *ret_size = at;
    return 0;
}

int hf_target_hash(const struct hf_target_dir *dir, const char *name, const atomic_bool *cancel,
                   char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_failure *failure)
{
    int fd = hf_target_open_file(dir, name, O_RDONLY, failure);

    if (fd < 0)
        return fd;
    int r = hf_target_hash_fd(dir->fs, fd, cancel, hex, ret_size, failure);
    (void)dir->fs->close(dir->fs->ctx, fd);
    return r < 0 ? hf_err_wrap(&failure->err, r, "'%s'", name) : 0;
}

int hf_target_write(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                    struct hf_failure *failure)
{
    int r = hf_file_write_all(fs, fd, bytes, n, offset);

    return r < 0 ? hf_failure_sys(failure, r, "write") : 0;
}
