/* SPDX-License-Identifier: Apache-2.0 */
/* base/fs.h - the file system as a table of functions, so that tests can cut the power at any call.
 *
 * Most functions do what the system call of the same name does, and return the call's value or -errno. Comments in the
 * table describe all other functions. A descriptor is valid only for the table that opened it. With the table of
 * os/fs_posix.h it is a descriptor of the kernel; with a table of the tests it is a number that only this table
 * understands. `dirfd` may be AT_FDCWD. A power cut may lose all changes since the last fsync; to keep a file's name,
 * fsync its folder. Threads: any for the table of os/fs_posix.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

/* Rules for resolving a path (openat2(2)). */
enum hf_fs_resolve {
    HF_FS_ANY = 0,
    /* refuse a path that leads out of `dirfd`, whether by "..", by a link or because it is absolute */
    HF_FS_BENEATH = 1,
    HF_FS_NO_SYMLINKS = 2, /* refuse a path with a symbolic link in any component */
};

struct hf_fs_ops {
    void *ctx;
    int (*openat)(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve);
    int (*close)(void *ctx, int fd);
    ssize_t (*pread)(void *ctx, int fd, void *bytes, size_t n, uint64_t offset);
    ssize_t (*pwrite)(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset);
    int (*ftruncate)(void *ctx, int fd, uint64_t size);
    /* Returns -EOPNOTSUPP if the file system does not support fallocate(). */
    int (*fallocate)(void *ctx, int fd, uint64_t offset, uint64_t n);
    int (*fsync)(void *ctx, int fd);
    int (*fdatasync)(void *ctx, int fd);
    /* Drops the synced pages of the file from the page cache, as far as the kernel can, so that later reads ask the
     * medium. After a failed sync, the kernel may take pages for clean that the medium does not have
     * (lwn.net/Articles/752063). */
    void (*drop_cache)(void *ctx, int fd);
    int (*fstat)(void *ctx, int fd, struct stat *ret);
    /* Returns 0 and the time at which the file was made, in Unix nanoseconds. -EOPNOTSUPP: the file system does not
     * keep it. */
    int (*birth)(void *ctx, int fd, uint64_t *ret_unix_ns);
    /* Returns the number of hard links of the file. Does not use fstat(), because fstat() also reads the file's times.
     * After such a read, the kernel records the time of the next write to the nanosecond (multigrain timestamps, Linux
     * 6.13), and the fdatasync after that write must also write the inode. */
    int (*links)(void *ctx, int fd);
    int (*fstatat)(void *ctx, int dirfd, const char *path, struct stat *ret, int flags);
    int (*fstatvfs)(void *ctx, int fd, struct statvfs *ret);
    /* Returns 1 if the file system of `fd` keeps its content in memory (tmpfs, ramfs), 0 if it does not, or -errno. */
    int (*is_memory)(void *ctx, int fd);
    int (*renameat)(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to);
    int (*linkat)(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to);
    int (*symlinkat)(void *ctx, const char *target, int dirfd, const char *path);
    ssize_t (*readlinkat)(void *ctx, int dirfd, const char *path, char *text, size_t n);
    int (*unlinkat)(void *ctx, int dirfd, const char *path, int flags); /* flags: 0 or AT_REMOVEDIR */
    int (*mkdirat)(void *ctx, int dirfd, const char *path, mode_t mode);
    int (*fchmod)(void *ctx, int fd, mode_t mode);
    int (*fchown)(void *ctx, int fd, uid_t uid, gid_t gid);
    int (*flock)(void *ctx, int fd, int operation); /* operation: such as LOCK_EX | LOCK_NB */
    ssize_t (*flistxattr)(void *ctx, int fd, char *names, size_t n);
    ssize_t (*fgetxattr)(void *ctx, int fd, const char *name, void *value, size_t n);
    int (*fsetxattr)(void *ctx, int fd, const char *name, const void *value, size_t n);
    /* Calls `visit(arg, name, d_type)` for each entry of the folder except "." and "..". If `visit` returns a negative
     * number, list() stops and returns that number. */
    int (*list)(void *ctx, int dirfd, int (*visit)(void *arg, const char *name, unsigned char type), void *arg);
};
