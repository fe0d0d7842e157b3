/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/deep/scratch.h"

#include <fcntl.h>

#include "os/file.h"

struct hf_deep_file hf_deep_file_init(const struct hf_fs_ops *fs, int dirfd, const char *name)
{
    return (struct hf_deep_file){fs, dirfd, name, -1};
}

static int open_file(struct hf_deep_file *file)
{
    const struct hf_fs_ops *fs = file->fs;

    (void)fs->unlinkat(fs->ctx, file->dirfd, file->name, 0);
    int fd = fs->openat(fs->ctx, file->dirfd, file->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600,
                        HF_FS_ANY);
    if (fd < 0)
        return fd;
    int r = fs->unlinkat(fs->ctx, file->dirfd, file->name, 0);
    if (r < 0) {
        (void)fs->close(fs->ctx, fd);
        return r;
    }
    file->fd = fd;
    return 0;
}

void hf_deep_file_done(struct hf_deep_file *file)
{
    if (file->fs != NULL && file->fd >= 0)
        (void)file->fs->close(file->fs->ctx, file->fd);
    file->fd = -1;
}

static int write_scratch(void *ctx, const void *bytes, size_t n, uint64_t offset)
{
    struct hf_deep_file *file = ctx;
    int r = file->fd < 0 ? open_file(file) : 0;

    return r < 0 ? r : hf_file_write_all(file->fs, file->fd, bytes, n, offset);
}

static ssize_t read_scratch(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct hf_deep_file *file = ctx;

    return file->fs->pread(file->fs->ctx, file->fd, bytes, n, offset);
}

struct hf_deep_scratch hf_deep_file_scratch(struct hf_deep_file *file)
{
    return (struct hf_deep_scratch){file, write_scratch, read_scratch};
}
