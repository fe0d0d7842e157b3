/* SPDX-License-Identifier: Apache-2.0 */
/* The file system table over system calls. openat2(2) resolves paths that must stay beneath a folder or free of
 * links, without a race. On kernels without it (before 5.6) a strict open fails with -ENOSYS; a weaker check in user
 * space would let an attacker swap in a link between check and open. */
#include "os/fs_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macros.h"

enum { STRICT_TRIES = 64 };

static int ret_or_errno(int r)
{
    return r < 0 ? -errno : r;
}

static ssize_t size_or_errno(ssize_t n)
{
    return n < 0 ? -errno : n;
}

static int open_strict(int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)flags};

    if ((flags & (O_CREAT | O_TMPFILE)) != 0)
        how.mode = mode & 07777;
    if ((resolve & HF_FS_BENEATH) != 0)
        how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if ((resolve & HF_FS_NO_SYMLINKS) != 0)
        how.resolve |= RESOLVE_NO_SYMLINKS;
    /* -EAGAIN: a rename elsewhere raced with ".."; the kernel asks for another attempt. */
    for (int i = 0; i < STRICT_TRIES; i++) {
        long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return -EAGAIN;
}

static int posix_openat(HF_UNUSED void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    int fd;

    flags |= O_CLOEXEC;
    if (resolve != HF_FS_ANY)
        return open_strict(dirfd, path, flags, mode, resolve);
    do {
        fd = openat(dirfd, path, flags, mode);
    } while (fd < 0 && errno == EINTR);
    return ret_or_errno(fd);
}

static int posix_close_fd(HF_UNUSED void *ctx, int fd)
{
    /* On Linux the descriptor is gone even after EINTR: never close it twice. */
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static ssize_t posix_pread(HF_UNUSED void *ctx, int fd, void *bytes, size_t n, uint64_t offset)
{
    ssize_t got;

    do {
        got = pread(fd, bytes, n, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    return size_or_errno(got);
}

static ssize_t posix_pwrite(HF_UNUSED void *ctx, int fd, const void *bytes, size_t n, uint64_t offset)
{
    ssize_t put;

    do {
        put = pwrite(fd, bytes, n, (off_t)offset);
    } while (put < 0 && errno == EINTR);
    return size_or_errno(put);
}

static int posix_ftruncate(HF_UNUSED void *ctx, int fd, uint64_t size)
{
    return ret_or_errno(ftruncate(fd, (off_t)size));
}

static int posix_fallocate_keep(HF_UNUSED void *ctx, int fd, uint64_t offset, uint64_t n)
{
    int r;

    do {
        r = fallocate(fd, 0, (off_t)offset, (off_t)n);
    } while (r < 0 && errno == EINTR);
    return ret_or_errno(r);
}

static int posix_fsync(HF_UNUSED void *ctx, int fd)
{
    return ret_or_errno(fsync(fd));
}

static int posix_fdatasync(HF_UNUSED void *ctx, int fd)
{
    return ret_or_errno(fdatasync(fd));
}

static void posix_drop_cache(HF_UNUSED void *ctx, int fd)
{
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int posix_birth(HF_UNUSED void *ctx, int fd, uint64_t *ret_unix_ns)
{
    struct statx st;

    if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BTIME, &st) < 0)
        return -errno;
    if ((st.stx_mask & STATX_BTIME) == 0)
        return -EOPNOTSUPP;
    *ret_unix_ns = (uint64_t)st.stx_btime.tv_sec * HF_NS_PER_S + st.stx_btime.tv_nsec;
    return 0;
}

static int posix_fstat(HF_UNUSED void *ctx, int fd, struct stat *ret)
{
    return ret_or_errno(fstat(fd, ret));
}

static int posix_links(HF_UNUSED void *ctx, int fd)
{
    struct statx found;

    if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_NLINK, &found) < 0)
        return -errno;
    return (int)HF_MIN(found.stx_nlink, (unsigned)INT_MAX);
}

static int posix_fstatat(HF_UNUSED void *ctx, int dirfd, const char *path, struct stat *ret, int flags)
{
    return ret_or_errno(fstatat(dirfd, path, ret, flags));
}

static int posix_fstatvfs(HF_UNUSED void *ctx, int fd, struct statvfs *ret)
{
    return ret_or_errno(fstatvfs(fd, ret));
}

static int posix_is_memory(HF_UNUSED void *ctx, int fd)
{
    struct statfs at;
    uint32_t type;

    if (fstatfs(fd, &at) < 0)
        return -errno;
    type = (uint32_t)at.f_type; /* signed 32 or 64 bits, depending on the processor */
    return type == TMPFS_MAGIC || type == RAMFS_MAGIC ? 1 : 0;
}

static int posix_renameat(HF_UNUSED void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to)
{
    return ret_or_errno(renameat(from_dirfd, from, to_dirfd, to));
}

static int posix_linkat(HF_UNUSED void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to)
{
    return ret_or_errno(linkat(from_dirfd, from, to_dirfd, to, 0));
}

static int posix_clone(HF_UNUSED void *ctx, int from_fd, int to_fd)
{
    return ret_or_errno(ioctl(to_fd, FICLONE, from_fd));
}

static int posix_symlinkat(HF_UNUSED void *ctx, const char *target, int dirfd, const char *path)
{
    return ret_or_errno(symlinkat(target, dirfd, path));
}

static ssize_t posix_readlinkat(HF_UNUSED void *ctx, int dirfd, const char *path, char *text, size_t n)
{
    return size_or_errno(readlinkat(dirfd, path, text, n));
}

static int posix_unlinkat(HF_UNUSED void *ctx, int dirfd, const char *path, int flags)
{
    return ret_or_errno(unlinkat(dirfd, path, flags));
}

static int posix_mkdirat(HF_UNUSED void *ctx, int dirfd, const char *path, mode_t mode)
{
    return ret_or_errno(mkdirat(dirfd, path, mode));
}

static int posix_fchmod(HF_UNUSED void *ctx, int fd, mode_t mode)
{
    return ret_or_errno(fchmod(fd, mode));
}

static int posix_fchown(HF_UNUSED void *ctx, int fd, uid_t uid, gid_t gid)
{
    return ret_or_errno(fchown(fd, uid, gid));
}

static int posix_flock(HF_UNUSED void *ctx, int fd, int operation)
{
    return ret_or_errno(flock(fd, operation));
}

static ssize_t posix_flistxattr(HF_UNUSED void *ctx, int fd, char *names, size_t n)
{
    return size_or_errno(flistxattr(fd, names, n));
}

static ssize_t posix_fgetxattr(HF_UNUSED void *ctx, int fd, const char *name, void *value, size_t n)
{
    return size_or_errno(fgetxattr(fd, name, value, n));
}

static int posix_fsetxattr(HF_UNUSED void *ctx, int fd, const char *name, const void *value, size_t n)
{
    return ret_or_errno(fsetxattr(fd, name, value, n, 0));
}

static int visit_all(DIR *dir, int (*visit)(void *arg, const char *name, unsigned char type), void *arg)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int r = visit(arg, entry->d_name, entry->d_type);
        if (r < 0)
            return r;
    }
}

static int posix_list(HF_UNUSED void *ctx, int dirfd, int (*visit)(void *arg, const char *name, unsigned char type),
                      void *arg)
{
    /* Open a second descriptor: closedir() would close the caller's, and a dup would share its position. */
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int r = -errno;
        (void)close(fd);
        return r;
    }
    int r = visit_all(dir, visit, arg);
    (void)closedir(dir);
    return r;
}

const struct hf_fs_ops *hf_fs_posix(void)
{
    static const struct hf_fs_ops ops = {
        .openat = posix_openat,
        .close = posix_close_fd,
        .pread = posix_pread,
        .pwrite = posix_pwrite,
        .ftruncate = posix_ftruncate,
        .fallocate = posix_fallocate_keep,
        .fsync = posix_fsync,
        .fdatasync = posix_fdatasync,
        .drop_cache = posix_drop_cache,
        .fstat = posix_fstat,
        .birth = posix_birth,
        .links = posix_links,
        .fstatat = posix_fstatat,
        .fstatvfs = posix_fstatvfs,
        .is_memory = posix_is_memory,
        .renameat = posix_renameat,
        .linkat = posix_linkat,
        .clone = posix_clone,
        .symlinkat = posix_symlinkat,
        .readlinkat = posix_readlinkat,
        .unlinkat = posix_unlinkat,
        .mkdirat = posix_mkdirat,
        .fchmod = posix_fchmod,
        .fchown = posix_fchown,
        .flock = posix_flock,
        .flistxattr = posix_flistxattr,
        .fgetxattr = posix_fgetxattr,
        .fsetxattr = posix_fsetxattr,
        .list = posix_list,
    };

    return &ops;
}
