/* SPDX-License-Identifier: Apache-2.0 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "os/dir.h"

enum { READ_MIN = 4096, READ_STEP = 64 * 1024 };

static int handle_open(struct hf_fs_fd *handle, const char *path, int flags, mode_t mode, struct hf_err *err)
{
    handle->fd = handle->fs->openat(handle->fs->ctx, AT_FDCWD, path, flags, mode, HF_FS_ANY);
    return handle->fd < 0 ? hf_err_sys(err, handle->fd, "open '%s'", path) : 0;
}

/* `size` is that of stat(), which is 0 for many files of /proc, and may be out of date. */
static int read_rest(const struct hf_fs_ops *fs, int fd, const char *path, uint64_t size, struct hf_buf *out,
                     struct hf_err *err)
{
    /* One byte more than the size, so that the call that finds the end needs no more memory. */
    size_t step = size < READ_MIN ? READ_MIN : (size_t)HF_MIN(size + 1, (uint64_t)READ_STEP);
    uint64_t at = 0;

    for (;;) {
        /* Ask for one byte more than fits, so that "exactly full" and "too long" differ. */
        char extra;
        size_t room = HF_MIN(out->max - out->n, step);
        int r = hf_buf_reserve(out, room);
        if (r < 0)
            return hf_err_sys(err, r, "read '%s'", path);
        ssize_t n =
            room > 0 ? fs->pread(fs->ctx, fd, out->p + out->n, room, at) : fs->pread(fs->ctx, fd, &extra, 1, at);
        if (n < 0)
            return hf_err_sys(err, (int)n, "read '%s'", path);
        if (n == 0)
            break;
        if (room == 0)
            return hf_err_set(err, E2BIG, "read '%s': longer than %zu bytes", path, out->max);
        out->n += (size_t)n;
        at += (uint64_t)n;
        step = (size_t)n < room ? room - (size_t)n : READ_STEP;
    }
    if (out->p != NULL)
        out->p[out->n] = '\0';
    return 0;
}

int hf_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd file = {fs, -1};
    struct stat st;
    size_t before = out->n;

    /* O_NONBLOCK: a FIFO in the place of a file must not hang the reader. */
    int r = handle_open(&file, path, O_RDONLY | O_NONBLOCK, 0, err);
    if (r < 0)
        return r;
    r = fs->fstat(fs->ctx, file.fd, &st);
    if (r < 0)
        return hf_err_sys(err, r, "stat '%s'", path);
    if (!S_ISREG(st.st_mode))
        return hf_err_set(err, EINVAL, "read '%s': not a regular file", path);
    r = read_rest(fs, file.fd, path, (uint64_t)st.st_size, out, err);
    if (r < 0)
        hf_buf_cut(out, before);
    return r;
}

bool hf_file_read_id(const struct hf_fs_ops *fs, const char *path, char id[HF_FILE_ID])
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FILE_ID);
    bool there = hf_file_read(fs, path, &text, NULL) == 0;
    struct hf_view view = hf_view_trim(hf_buf_view(&text));

    there = there && view.n > 0 && view.n < HF_FILE_ID;
    (void)snprintf(id, HF_FILE_ID, "%.*s", there ? (int)view.n : 0, there ? view.p : "");
    return there;
}

void hf_file_boot_id(const struct hf_fs_ops *fs, char id[HF_FILE_ID])
{
    (void)hf_file_read_id(fs, "/proc/sys/kernel/random/boot_id", id);
}

int hf_file_write_all(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = fs->pwrite(fs->ctx, fd, (const char *)bytes + done, n - done, offset + done);
        if (put <= 0)
            return put < 0 ? (int)put : -EIO;
        done += (size_t)put;
    }
    return 0;
}

int hf_file_copy(const struct hf_fs_ops *fs, int from, int to, uint64_t begin, uint64_t end)
{
    char bytes[4096];

    for (uint64_t at = begin; at < end;) {
        size_t want = (size_t)HF_MIN((uint64_t)sizeof(bytes), end - at);
        ssize_t n = fs->pread(fs->ctx, from, bytes, want, at);
        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        int r = hf_file_write_all(fs, to, bytes, (size_t)n, at);
        if (r < 0)
            return r;
        at += (uint64_t)n;
    }
    return 0;
}

static int write_synced(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                        struct hf_err *err)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd file = {fs, -1};

    /* Remove the rest of an earlier power cut instead of reusing it: it may have any owner and mode. */
    int r = fs->unlinkat(fs->ctx, AT_FDCWD, path, 0);
    if (r < 0 && r != -ENOENT)
        return hf_err_sys(err, r, "remove '%s'", path);
    r = handle_open(&file, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, err);
    if (r < 0)
        return r;
    r = fs->fchmod(fs->ctx, file.fd, mode); /* past the umask */
    if (r < 0)
        return hf_err_sys(err, r, "set the mode of '%s'", path);
    r = hf_file_write_all(fs, file.fd, bytes, n, 0);
    if (r < 0)
        return hf_err_sys(err, r, "write '%s'", path);
    r = fs->fsync(fs->ctx, file.fd);
    if (r < 0)
        return hf_err_sys(err, r, "sync '%s'", path);
    int fd = file.fd;
    file.fd = -1;
    r = fs->close(fs->ctx, fd); /* NFS and FUSE report write errors here */
    return r < 0 ? hf_err_sys(err, r, "close '%s'", path) : 0;
}

int hf_file_replace(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                    struct hf_err *err)
{
    char folder[PATH_MAX], fresh[PATH_MAX];

    if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", path);
    (void)hf_dir_of_path(path, folder, sizeof(folder));

    int r = write_synced(fs, fresh, bytes, n, mode, err);
    if (r == 0) {
        r = fs->renameat(fs->ctx, AT_FDCWD, fresh, AT_FDCWD, path);
        if (r < 0)
            r = hf_err_sys(err, r, "rename '%s' to '%s'", fresh, path);
    }
    if (r < 0) {
        (void)fs->unlinkat(fs->ctx, AT_FDCWD, fresh, 0);
        return r;
    }
    return hf_dir_sync(fs, folder, err);
}

int hf_file_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char folder[PATH_MAX];
    int r = fs->unlinkat(fs->ctx, AT_FDCWD, path, 0);

    /* The file may be absent because an earlier call removed it just before a power cut, not yet durably: sync all
     * the same. */
    if (r < 0 && r != -ENOENT)
        return hf_err_sys(err, r, "remove '%s'", path);
    (void)hf_dir_of_path(path, folder, sizeof(folder));
    int synced = hf_dir_sync(fs, folder, err);
    return r == -ENOENT && synced == -ENOENT ? 0 : synced;
}

static int unlink_if_there(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    struct stat st;
    int r = fs->fstatat(fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);

    if (r == 0)
        r = fs->unlinkat(fs->ctx, AT_FDCWD, path, 0);
    return r < 0 && r != -ENOENT ? hf_err_sys(err, r, "remove '%s'", path) : 0;
}

int hf_file_forget(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char fresh[PATH_MAX], folder[PATH_MAX];

    if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", path);
    int r = unlink_if_there(fs, fresh, err);
    if (r == 0)
        r = unlink_if_there(fs, path, err);
    if (r < 0)
        return r;
    /* The file may be absent because an earlier call removed it, not yet durably: sync. */
    (void)hf_dir_of_path(path, folder, sizeof(folder));
    r = hf_dir_sync(fs, folder, err);
    return r == -ENOENT ? 0 : r;
}

int hf_file_lock(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, HF_FS_ANY);

    if (fd < 0)
        return hf_err_sys(err, fd, "open lock '%s'", path);
    int r = fs->flock(fs->ctx, fd, LOCK_EX | LOCK_NB);
    if (r < 0) {
        (void)fs->close(fs->ctx, fd);
        return r == -EWOULDBLOCK ? hf_err_set(err, EWOULDBLOCK, "lock '%s' is held by another process", path)
                                 : hf_err_sys(err, r, "lock '%s'", path);
    }
    return fd;
}
