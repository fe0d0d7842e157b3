/* base/fs.h - the file system as a table of functions, so that tests can lose power at any call.
 *
 * Each entry does what the system call of its name does and returns its value or -errno. Descriptors are ints of the table
 * that made them: the real ones in os/fs_posix, numbers of a model in tests. `dirfd` may be AT_FDCWD. Threads: the real
 * table may be used from any thread. What is not fsynced may be gone after a power cut, names included (fsync the folder). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

/* How a path is resolved (openat2(2)). */
enum hf_fs_resolve {
    HF_FS_ANY = 0,
    HF_FS_BENEATH = 1,     /* never above dirfd: no "..", no absolute path or link that leaves it */
    HF_FS_NO_SYMLINKS = 2, /* no component may be a symbolic link */
};

struct hf_fs_ops {
    void *ctx;
    int (*openat)(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve);
    int (*close)(void *ctx, int fd);
    ssize_t (*pread)(void *ctx, int fd, void *bytes, size_t n, uint64_t offset);
    ssize_t (*pwrite)(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset);
    int (*ftruncate)(void *ctx, int fd, uint64_t size);
    int (*fallocate)(void *ctx, int fd, uint64_t offset, uint64_t n); /* -EOPNOTSUPP where the file system cannot */
    int (*fsync)(void *ctx, int fd);
    int (*fdatasync)(void *ctx, int fd);
    int (*fstat)(void *ctx, int fd, struct stat *ret);
    /* How many names the file has, and nothing else: who asks for a file's times as well makes the kernel note its next
     * write to the nanosecond (multigrain timestamps, Linux 6.13), and then every fdatasync has the inode to write too. */
    int (*links)(void *ctx, int fd);
    int (*fstatat)(void *ctx, int dirfd, const char *path, struct stat *ret, int flags);
    int (*fstatvfs)(void *ctx, int fd, struct statvfs *ret);
    int (*renameat)(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to);
    int (*linkat)(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to);
    int (*symlinkat)(void *ctx, const char *target, int dirfd, const char *path);
    ssize_t (*readlinkat)(void *ctx, int dirfd, const char *path, char *text, size_t n);
    int (*unlinkat)(void *ctx, int dirfd, const char *path, int flags); /* AT_REMOVEDIR */
    int (*mkdirat)(void *ctx, int dirfd, const char *path, mode_t mode);
    int (*fchmod)(void *ctx, int fd, mode_t mode);
    int (*fchown)(void *ctx, int fd, uid_t uid, gid_t gid);
    int (*flock)(void *ctx, int fd, int operation); /* LOCK_EX | LOCK_NB ... */
    ssize_t (*flistxattr)(void *ctx, int fd, char *names, size_t n);
    ssize_t (*fgetxattr)(void *ctx, int fd, const char *name, void *value, size_t n);
    int (*fsetxattr)(void *ctx, int fd, const char *name, const void *value, size_t n);
    /* Call `visit(arg, name, d_type)` for each entry but "." and ".."; a negative return stops and is returned. */
    int (*list)(void *ctx, int dirfd, int (*visit)(void *arg, const char *name, unsigned char type), void *arg);
};
