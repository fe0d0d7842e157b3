/* SPDX-License-Identifier: Apache-2.0 */
/* The file system as a table of functions, so that tests can cut the power at any call.
 *
 * Most functions do what the system calls do, and return a value or -errno. A power cut may lose all changes since the
 * last fsync of the file or, for names, of the folder. Threads: any for os/fs_posix.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

enum hf_fs_resolve {
    HF_FS_ANY = 0,
    HF_FS_BENEATH = 1,     /* refuse "..", links and absolute paths that leave `dirfd` */
    HF_FS_NO_SYMLINKS = 2, /* refuse links in any component */
};

struct hf_fs_ops {
    void *ctx;
    int (*openat)(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve);
    int (*close)(void *ctx, int fd);
    ssize_t (*pread)(void *ctx, int fd, void *bytes, size_t n, uint64_t offset);
    ssize_t (*pwrite)(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset);
    int (*ftruncate)(void *ctx, int fd, uint64_t size);
    int (*fallocate)(void *ctx, int fd, uint64_t offset, uint64_t n);
    int (*fsync)(void *ctx, int fd);
    int (*fdatasync)(void *ctx, int fd);
    /* Drops cached pages, because after a failed sync the kernel may take pages for clean that the medium lacks
     * (lwn.net/Articles/752063). */
    void (*drop_cache)(void *ctx, int fd);
    int (*fstat)(void *ctx, int fd, struct stat *ret);
    /* Gives the file's time of creation. -EOPNOTSUPP: not kept. */
    int (*birth)(void *ctx, int fd, uint64_t *ret_unix_ns);
    /* Counts hard links without fstat(), after which the next fdatasync must write the inode (multigrain timestamps,
     * Linux 6.13). */
    int (*links)(void *ctx, int fd);
    int (*fstatat)(void *ctx, int dirfd, const char *path, struct stat *ret, int flags);
    int (*fstatvfs)(void *ctx, int fd, struct statvfs *ret);
    int (*is_memory)(void *ctx, int fd); /* 1: tmpfs or ramfs; 0: another */
    int (*renameat)(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to);
    int (*linkat)(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to);
    /* Makes a reflink: the empty `to_fd` shares blocks with `from_fd` until one changes. May be NULL. Fails if the file
     * system cannot. */
    int (*clone)(void *ctx, int from_fd, int to_fd);
    int (*symlinkat)(void *ctx, const char *target, int dirfd, const char *path);
    ssize_t (*readlinkat)(void *ctx, int dirfd, const char *path, char *text, size_t n);
    int (*unlinkat)(void *ctx, int dirfd, const char *path, int flags);
    int (*mkdirat)(void *ctx, int dirfd, const char *path, mode_t mode);
    int (*fchmod)(void *ctx, int fd, mode_t mode);
    int (*fchown)(void *ctx, int fd, uid_t uid, gid_t gid);
    int (*flock)(void *ctx, int fd, int operation);
    ssize_t (*flistxattr)(void *ctx, int fd, char *names, size_t n);
    ssize_t (*fgetxattr)(void *ctx, int fd, const char *name, void *value, size_t n);
    int (*fsetxattr)(void *ctx, int fd, const char *name, const void *value, size_t n);
    /* Calls visit(arg, name, d_type) for all names except "." and "..", until it returns < 0, which `list` then
     * returns. */
    int (*list)(void *ctx, int dirfd, int (*visit)(void *arg, const char *name, unsigned char type), void *arg);
};

/* A descriptor that is closed at the end of its scope, with _cleanup_(hf_fs_fd_done). */
struct hf_fs_fd {
    const struct hf_fs_ops *fs;
    int fd;
};

static inline void hf_fs_fd_done(struct hf_fs_fd *handle)
{
    if (handle->fd >= 0)
        (void)handle->fs->close(handle->fs->ctx, handle->fd);
    handle->fd = -1;
}
