/* SPDX-License-Identifier: Apache-2.0 */
/* A power cut leaves a sector in writing with its old content, its new one, or neither: so an append begins at a new
 * sector, and a replacement writes another file. The kernel writes whole blocks, mostly 4 KiB, so durable lines in the
 * first block of an append are written again as they are; hf_audit_log_open() and audit/check.h find what a disk
 * damages there. */
#include "audit/write.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "audit/segment.h"
#include "os/dir.h"
#include "os/file.h"

enum { DIR_MODE = 0750, FILE_MODE = 0640 };

/* Gives the folder to the group once; from then on its mode is the owner's choice. */
int hf_audit_write_folder(const struct hf_audit_place *place, struct hf_err *err)
{
    const struct hf_fs_ops *fs = place->fs;
    struct stat st;
    int r = hf_dir_make(fs, place->dir, DIR_MODE, err);

    if (r < 0 || place->group == HF_AUDIT_NO_GROUP)
        return r;
    int fd = fs->openat(fs->ctx, AT_FDCWD, place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0, HF_FS_ANY);
    if (fd < 0)
        return hf_err_sys(err, fd, "open folder '%s'", place->dir);
    if (fs->fstat(fs->ctx, fd, &st) == 0 && st.st_gid != place->group &&
        fs->fchown(fs->ctx, fd, (uid_t)-1, place->group) == 0)
        (void)fs->fchmod(fs->ctx, fd, DIR_MODE);
    (void)fs->close(fs->ctx, fd);
    return 0;
}

static void fresh_path(const struct hf_audit_place *place, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/segment.new", place->dir);
}

/* Writes to the file and syncs it; a new file first gets its mode and its group. */
static int write_to(const struct hf_audit_place *place, const char *path, int flags, uint64_t offset, const void *bytes,
                    size_t n)
{
    const struct hf_fs_ops *fs = place->fs;
    bool is_new = (flags & O_CREAT) != 0;
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, FILE_MODE, HF_FS_ANY);

    if (fd < 0)
        return fd;
    int r = is_new ? fs->fchmod(fs->ctx, fd, FILE_MODE) : 0;
    if (r == 0 && is_new && place->group != HF_AUDIT_NO_GROUP)
        (void)fs->fchown(fs->ctx, fd, (uid_t)-1, place->group);
    if (r == 0)
        r = hf_file_write_all(fs, fd, bytes, n, offset);
    if (r == 0)
        r = is_new ? fs->fsync(fs->ctx, fd) : fs->fdatasync(fs->ctx, fd);
    (void)fs->close(fs->ctx, fd);
    return r;
}

int hf_audit_write_append(const struct hf_audit_place *place, uint64_t first, bool is_new, uint64_t offset,
                          const void *bytes, size_t n, struct hf_err *err)
{
    char path[PATH_MAX];
    int r = hf_audit_segment_path(place->dir, first, path, err);

    if (r < 0)
        return r;
    r = write_to(place, path, is_new ? O_CREAT : 0, offset, bytes, n);
    if (r < 0)
        return hf_err_sys(err, r, "write '%s'", path);
    return is_new ? hf_dir_sync(place->fs, place->dir, err) : 0;
}

int hf_audit_write_replace(const struct hf_audit_place *place, uint64_t first, const void *bytes, size_t n,
                           struct hf_err *err)
{
    const struct hf_fs_ops *fs = place->fs;
    char path[PATH_MAX], fresh[PATH_MAX];
    int r = hf_audit_segment_path(place->dir, first, path, err);

    if (r < 0)
        return r;
    fresh_path(place, fresh);
    r = write_to(place, fresh, O_CREAT | O_TRUNC, 0, bytes, n);
    if (r < 0)
        r = hf_err_sys(err, r, "write '%s'", fresh);
    if (r == 0) {
        r = fs->renameat(fs->ctx, AT_FDCWD, fresh, AT_FDCWD, path);
        if (r < 0)
            r = hf_err_sys(err, r, "rename '%s' to '%s'", fresh, path);
    }
    if (r < 0) {
        (void)fs->unlinkat(fs->ctx, AT_FDCWD, fresh, 0);
        return r;
    }
    return hf_dir_sync(fs, place->dir, err);
}

void hf_audit_write_forget(const struct hf_audit_place *place)
{
    char fresh[PATH_MAX];
    struct stat st;

    fresh_path(place, fresh);
    if (place->fs->fstatat(place->fs->ctx, AT_FDCWD, fresh, &st, AT_SYMLINK_NOFOLLOW) == 0)
        (void)place->fs->unlinkat(place->fs->ctx, AT_FDCWD, fresh, 0);
}
