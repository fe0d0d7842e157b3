/* SPDX-License-Identifier: Apache-2.0 */
/* The file system as a table of functions: tests can cut the power at any call.
 *
 * As the system calls, with value or -errno. Descriptors are valid for their table only. A power cut may lose all since
 * the last fsync; for names, since the folder's. Threads: any for os/fs_posix.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

/* As in openat2(2). */
enum hf_fs_resolve {
    HF_FS_ANY = 0,
    HF_FS_BENEATH = 1,     /* refuse "..", links and absolute paths out of `dirfd` */
    HF_FS_NO_SYMLINKS = 2, /* in any component */
};

struct hf_fs_ops {
    void *ctx;
    int (*openat)(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve);
    int (*close)(void *ctx, int fd);
    ssize_t (*pread)(void *ctx, int fd, void *bytes, size_t n, uint64_t offset);
    ssize_t (*pwrite)(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset);
    int (*ftruncate)(void *ctx, int fd, uint64_t size);
    /* -EOPNOTSUPP. */
    int (*fallocate)(void *ctx, int fd, uint64_t offset, uint64_t n);
    int (*fsync)(void *ctx, int fd);
    int (*fdatasync)(void *ctx, int fd);
    /* After a failed sync the kernel may hold as clean what the medium lacks (lwn.net/Articles/752063). */
    void (*drop_cache)(void *ctx, int fd);
    int (*fstat)(void *ctx, int fd, struct stat *ret);
    /* Creation of the file. -EOPNOTSUPP: not kept. */
    int (*birth)(void *ctx, int fd, uint64_t *ret_unix_ns);
    /* Hard links. fstat() reads times, too: then the next write's time is in nanoseconds (multigrain timestamps, Linux
     * 6.13), and its fdatasync must write the inode. */
    int (*links)(void *ctx, int fd);
    int (*fstatat)(void *ctx, int dirfd, const char *path, struct stat *ret, int flags);
    int (*fstatvfs)(void *ctx, int fd, struct statvfs *ret);
    int (*is_memory)(void *ctx, int fd); /* 1: tmpfs, ramfs; 0; -errno */
    int (*renameat)(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to);
    int (*linkat)(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to);
    /* A reflink: the empty `to_fd` shares blocks with `from_fd` until one changes. May be NULL. An error: not by this
     * file system. */
    int (*clone)(void *ctx, int from_fd, int to_fd);
    int (*symlinkat)(void *ctx, const char *target, int dirfd, const char *path);
    ssize_t (*readlinkat)(void *ctx, int dirfd, const char *path, char *text, size_t n);
    int (*unlinkat)(void *ctx, int dirfd, const char *path, int flags); /* 0 or AT_REMOVEDIR */
    int (*mkdirat)(void *ctx, int dirfd, const char *path, mode_t mode);
    int (*fchmod)(void *ctx, int fd, mode_t mode);
    int (*fchown)(void *ctx, int fd, uid_t uid, gid_t gid);
    int (*flock)(void *ctx, int fd, int operation); /* LOCK_EX | LOCK_NB */
    ssize_t (*flistxattr)(void *ctx, int fd, char *names, size_t n);
    ssize_t (*fgetxattr)(void *ctx, int fd, const char *name, void *value, size_t n);
    int (*fsetxattr)(void *ctx, int fd, const char *name, const void *value, size_t n);
    /* visit(arg, name, d_type), not "." and ".."; < 0 ends it, and is returned. */
    int (*list)(void *ctx, int dirfd, int (*visit)(void *arg, const char *name, unsigned char type), void *arg);
};

/* Closes at the end of its scope, with _cleanup_(hf_fs_fd_done). */
struct hf_fs_fd {
    const struct hf_fs_ops *fs;
    int fd; /* or -1 */
};

static inline void hf_fs_fd_done(struct hf_fs_fd *handle)
{
    if (handle->fd >= 0)
        (void)handle->fs->close(handle->fs->ctx, handle->fd);
    handle->fd = -1;
}
