/* SPDX-License-Identifier: Apache-2.0 */
#include "update/kept/folder.h"

#include <errno.h>
#include <fcntl.h>

#include "os/dir.h"
#include "os/file.h"
#include "pack/tar/archive.h"

/* The agent makes it with mode 0700: nobody else can have put anything in, or reaches a set-user-ID file in it. */
static bool is_own(const struct hf_target_dir *dir, int fd)
{
    struct stat st;

    return dir->fs->fstat(dir->fs->ctx, fd, &st) == 0 && st.st_uid == dir->uid && (st.st_mode & 0077) == 0;
}

static int open_folder(const struct hf_target_dir *dir, const char *name)
{
    return dir->fs->openat(dir->fs->ctx, dir->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                           HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

int kept_open(const struct hf_target_dir *dir, bool make, struct hf_failure *failure)
{
    char name[NAME_MAX + 1];
    int fd = open_folder(dir, hf_target_file_name(dir->release, HF_TARGET_KEPT, name));

    if (fd == -ENOENT && make) {
        int r = dir->fs->mkdirat(dir->fs->ctx, dir->dirfd, name, 0700);
        if (r < 0)
            return hf_failure_sys(failure, r, "make '%s'", name);
        fd = open_folder(dir, name);
    }
    if (fd < 0)
        return hf_failure_sys(failure, fd, "open '%s'", name);
    if (is_own(dir, fd))
        return fd;
    (void)dir->fs->close(dir->fs->ctx, fd);
    return hf_failure_set(failure, HF_R_TargetUnsafe, make ? EPERM : ENOENT,
                          "'%s' is not the agent's own folder: nothing is kept in it", name);
}

const char *kept_name(const char *sha256, enum hf_kept_source form, char name[KEPT_NAME])
{
    static const char *const forms[HF_KEPT_SOURCES] = {
        [HF_KEPT_COPY] = "copy", [HF_KEPT_CLONE] = "clone", [HF_KEPT_LINK] = "link"};

    (void)snprintf(name, KEPT_NAME, "%s.%s", sha256, forms[form]);
    return name;
}

bool kept_is(const struct hf_fs_ops *fs, int kept_fd, enum hf_install_kind kind, const char *sha256,
             enum hf_kept_source form, struct stat *ret)
{
    char name[KEPT_NAME];

    return sha256[0] != '\0' &&
           fs->fstatat(fs->ctx, kept_fd, kept_name(sha256, form, name), ret, AT_SYMLINK_NOFOLLOW) == 0 &&
           (kind != HF_INSTALL_FILE ? S_ISDIR(ret->st_mode) : S_ISREG(ret->st_mode));
}

int kept_remove(const struct hf_fs_ops *fs, int kept_fd, const char *name)
{
    return hf_dir_remove_tree_at(fs, kept_fd, name, NULL);
}

int kept_fill(const struct hf_fs_ops *fs, int from_fd, int to_fd, bool copy, const atomic_bool *cancel)
{
    enum { PIECE = 4 << 20 };
    struct stat st;
    int r = fs->clone != NULL ? fs->clone(fs->ctx, from_fd, to_fd) : -EOPNOTSUPP;

    if (r == 0)
        return HF_KEPT_CLONE;
    if (!copy)
        return -EOPNOTSUPP;
    r = fs->fstat(fs->ctx, from_fd, &st);
    if (r < 0)
        return r;
    for (uint64_t at = 0, end = (uint64_t)st.st_size; r == 0 && at < end; at += HF_MIN(end - at, (uint64_t)PIECE)) {
        if (cancel != NULL && atomic_load(cancel))
            return -ECANCELED;
        r = hf_file_copy(fs, from_fd, to_fd, at, at + HF_MIN(end - at, (uint64_t)PIECE));
    }
    return r < 0 ? r : HF_KEPT_COPY;
}

struct archive_out {
    const struct hf_fs_ops *fs;
    int fd;
    uint64_t at, size;
    struct hf_failure *failure;
};

static int write_archive(void *ctx, const void *bytes, size_t n)
{
    struct archive_out *out = ctx;

    if (n > out->size - out->at)
        return hf_failure_set(out->failure, HF_R_HashMismatch, EBADMSG, "the kept tree has changed");
    int r = hf_target_write(out->fs, out->fd, bytes, n, out->at, out->failure);
    out->at += n;
    return r;
}

int kept_archive(const struct hf_fs_ops *fs, int top_fd, uint64_t size, int fd, const atomic_bool *cancel,
                 struct hf_failure *failure)
{
    _cleanup_(hf_archive_freep) struct hf_archive *archive = NULL;
    struct archive_out out = {.fs = fs, .fd = fd, .size = size, .failure = failure};

    failure->reason = HF_R_None;
    int r = hf_archive_new(fs, top_fd, 0, cancel, &archive, &failure->err);
    if (r == 0)
        r = hf_archive_write(archive, write_archive, &out, &failure->err);
    if (r < 0 && failure->reason == HF_R_None)
        failure->reason = r == -EBADMSG ? HF_R_HashMismatch : hf_reason_of_errno(r);
    return r;
}
