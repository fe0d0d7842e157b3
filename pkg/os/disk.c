/* SPDX-License-Identifier: Apache-2.0 */
#include "os/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

int hf_disk_read_fd(const struct hf_fs_ops *fs, int fd, struct hf_disk *ret_disk)
{
    struct statvfs vfs;
    int r = fs->fstatvfs(fs->ctx, fd, &vfs);

    if (r < 0)
        return r;
    *ret_disk = (struct hf_disk){.total_bytes = (uint64_t)vfs.f_blocks * vfs.f_frsize,
                                 .available_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize};
    return 0;
}

int hf_disk_read(const struct hf_fs_ops *fs, const char *path, struct hf_disk *ret_disk, struct hf_err *err)
{
    char at[PATH_MAX];
    int fd = -ENOENT;

    if ((size_t)snprintf(at, sizeof(at), "%s", path) >= sizeof(at))
        return hf_err_sys(err, -ENAMETOOLONG, "open '%.100s...'", path);
    while ((fd = fs->openat(fs->ctx, AT_FDCWD, at, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, HF_FS_ANY)) == -ENOENT) {
        char *slash = strrchr(at, '/');
        if (slash == NULL || at[1] == '\0')
            break;
        *(slash == at ? slash + 1 : slash) = '\0';
    }
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s'", at);
    int r = hf_disk_read_fd(fs, fd, ret_disk);
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? hf_err_sys(err, r, "read the free space of '%s'", at) : 0;
}

bool hf_disk_has_room(const struct hf_disk *disk, uint64_t more, uint64_t reserve_bytes)
{
    return disk->available_bytes >= more && disk->available_bytes - more >= reserve_bytes;
}
