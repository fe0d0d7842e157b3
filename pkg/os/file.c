#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/strmap.h"

enum { READ_STEP = 64 * 1024, MAX_TREE_DEPTH = 64 };

/* A descriptor of a table, closed when its scope ends. */
struct handle {
    const struct hf_fs_ops *fs;
    int fd;
};

static void handle_done(struct handle *handle)
{
    if (handle->fd >= 0)
        (void)handle->fs->close(handle->fs->ctx, handle->fd);
    handle->fd = -1;
}

static int handle_open(struct handle *handle, const char *path, int flags, mode_t mode, struct hf_err *err)
{
    handle->fd = handle->fs->openat(handle->fs->ctx, AT_FDCWD, path, flags, mode, HF_FS_ANY);
    return handle->fd < 0 ? hf_err_sys(err, handle->fd, "open '%s'", path) : 0;
}

static int read_rest(const struct hf_fs_ops *fs, int fd, const char *path, struct hf_buf *out, struct hf_err *err)
{
    uint64_t at = 0;

    for (;;) {
        /* One byte more than fits is asked for, so that "exactly full" and "too long" differ. */
        char extra;
        size_t room = HF_MIN(out->max - out->n, (size_t)READ_STEP);
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
    }
    if (out->p != NULL)
        out->p[out->n] = '\0';
    return 0;
}

int hf_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err)
{
    _cleanup_(handle_done) struct handle file = {fs, -1};
    struct stat st;
    size_t before = out->n;

    /* Not blocking: a FIFO put in the place of a file must not hang its reader. */
    int r = handle_open(&file, path, O_RDONLY | O_NONBLOCK, 0, err);
    if (r < 0)
        return r;
    r = fs->fstat(fs->ctx, file.fd, &st);
    if (r < 0)
        return hf_err_sys(err, r, "stat '%s'", path);
    if (!S_ISREG(st.st_mode))
        return hf_err_set(err, EINVAL, "read '%s': not a regular file", path);
    r = read_rest(fs, file.fd, path, out, err);
    if (r < 0) {
        out->n = before;
        if (out->p != NULL)
            out->p[before] = '\0';
    }
    return r;
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

int hf_fd_write_all(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno != EINTR)
            return -errno;
        p += HF_MAX(put, 0);
        n -= (size_t)HF_MAX(put, 0);
    }
    return 0;
}

static int write_synced(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                        struct hf_err *err)
{
    _cleanup_(handle_done) struct handle file = {fs, -1};

    /* What an earlier power cut left is removed, not reused: its owner and mode may be anything. */
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
    r = fs->close(fs->ctx, fd); /* NFS and FUSE tell late */
    return r < 0 ? hf_err_sys(err, r, "close '%s'", path) : 0;
}

int hf_file_replace(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                    struct hf_err *err)
{
    char folder[PATH_MAX], fresh[PATH_MAX];

    if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", path);
    (void)hf_path_split(path, folder, sizeof(folder));

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

    /* Absent may mean removed a moment before the power went, and not yet durably: sync all the same. */
    if (r < 0 && r != -ENOENT)
        return hf_err_sys(err, r, "remove '%s'", path);
    (void)hf_path_split(path, folder, sizeof(folder));
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
    /* Absent may mean removed a moment ago, and not yet durably. */
    (void)hf_path_split(path, folder, sizeof(folder));
    r = hf_dir_sync(fs, folder, err);
    return r == -ENOENT ? 0 : r;
}

int hf_dir_sync(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    _cleanup_(handle_done) struct handle folder = {fs, -1};
    int r = handle_open(&folder, path, O_RDONLY | O_DIRECTORY, 0, err);

    if (r < 0)
        return r;
    r = fs->fsync(fs->ctx, folder.fd);
    /* Some file systems (FUSE, 9p) have no sync for folders: their names are as durable as they get. */
    if (r < 0 && r != -EINVAL && r != -ENOTSUP)
        return hf_err_sys(err, r, "sync folder '%s'", path);
    return 0;
}

static int sync_parent(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char parent[PATH_MAX];

    (void)hf_path_split(path, parent, sizeof(parent));
    return hf_dir_sync(fs, parent, err);
}

/* One component: made (1), or there and a folder (0). */
static int make_one(const struct hf_fs_ops *fs, const char *path, mode_t mode, struct hf_err *err)
{
    struct stat st;
    int r = fs->mkdirat(fs->ctx, AT_FDCWD, path, mode);

    if (r == 0) {
        r = sync_parent(fs, path, err);
        return r < 0 ? r : 1;
    }
    if (r != -EEXIST && r != -EISDIR && r != -EROFS && r != -EACCES)
        return hf_err_sys(err, r, "make folder '%s'", path);
    int seen = fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0);
    if (seen < 0)
        return hf_err_sys(err, seen == -ENOENT ? r : seen, "make folder '%s'", path);
    return S_ISDIR(st.st_mode) ? 0 : hf_err_set(err, ENOTDIR, "make folder '%s': there is something else", path);
}

/* The deepest folder that was there already may be one that an earlier run made and was killed before syncing; those above it
 * were synced before it was made. Parents we may not read were certainly not made by us. */
static int sync_found(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    int r = sync_parent(fs, path, NULL);

    if (r == 0 || r == -EACCES || r == -EPERM || r == -EROFS)
        return 0;
    return hf_err_sys(err, r, "sync the folder of '%s'", path);
}

int hf_dir_make(const struct hf_fs_ops *fs, const char *path, mode_t mode, struct hf_err *err)
{
    char part[PATH_MAX], found[PATH_MAX] = "";
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part))
        return hf_err_set(err, n == 0 ? EINVAL : ENAMETOOLONG, "folder path '%.100s' is %s", path,
                          n == 0 ? "empty" : "too long");
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if ((part[i] != '/' && part[i] != '\0') || part[i - 1] == '/')
            continue;
        char kept = part[i];
        part[i] = '\0';
        int r = make_one(fs, part, mode, err);
        if (r < 0)
            return r;
        if (r == 0)
            memcpy(found, part, i + 1);
        part[i] = kept;
    }
    return found[0] != '\0' ? sync_found(fs, found, err) : 0;
}

/* ---- removal of a tree: by descriptors, so that nobody can lead it elsewhere ------------------------------------- */

struct children {
    struct hf_strmap names;
};

static int keep_name(void *arg, const char *name, HF_UNUSED unsigned char type)
{
    struct children *children = arg;

    return hf_strmap_put(&children->names, name, NULL);
}

static void children_done(struct children *children)
{
    hf_strmap_done(&children->names);
}

static int remove_at(const struct hf_fs_ops *fs, int dirfd, const char *name, int depth, struct hf_err *err);

static int empty_folder(const struct hf_fs_ops *fs, int fd, const char *name, int depth, struct hf_err *err)
{
    _cleanup_(children_done) struct children children = {.names = {.n = 0}};
    int r = fs->list(fs->ctx, fd, keep_name, &children);

    if (r < 0)
        return hf_err_sys(err, r, "list '%s'", name);
    for (size_t i = 0; i < children.names.n; i++) {
        r = remove_at(fs, fd, children.names.entries[i].key, depth + 1, err);
        if (r < 0)
            return hf_err_wrap(err, r, "in '%s'", name);
    }
    return 0;
}

static int remove_at(const struct hf_fs_ops *fs, int dirfd, const char *name, int depth, struct hf_err *err)
{
    _cleanup_(handle_done) struct handle folder = {fs, -1};
    int r = fs->unlinkat(fs->ctx, dirfd, name, 0);

    if (r == 0 || r == -ENOENT)
        return 0;
    if (r != -EISDIR && r != -EPERM)
        return hf_err_sys(err, r, "remove '%s'", name);
    if (depth > MAX_TREE_DEPTH)
        return hf_err_set(err, ELOOP, "remove '%s': more than %d folders deep", name, MAX_TREE_DEPTH);
    folder.fd = fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, HF_FS_ANY);
    if (folder.fd < 0)
        return hf_err_sys(err, folder.fd == -ENOTDIR ? r : folder.fd, "open folder '%s'", name);
    r = empty_folder(fs, folder.fd, name, depth, err);
    if (r < 0)
        return r;
    r = fs->unlinkat(fs->ctx, dirfd, name, AT_REMOVEDIR);
    return r < 0 && r != -ENOENT ? hf_err_sys(err, r, "remove folder '%s'", name) : 0;
}

int hf_tree_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char folder[PATH_MAX];
    int r = remove_at(fs, AT_FDCWD, path, 0, err);

    if (r < 0)
        return r;
    (void)hf_path_split(path, folder, sizeof(folder));
    r = hf_dir_sync(fs, folder, err);
    return r == -ENOENT ? 0 : r;
}

int hf_tree_remove_at(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_err *err)
{
    return remove_at(fs, dirfd, name, 0, err);
}

const char *hf_path_split(const char *path, char *folder, size_t n)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        (void)snprintf(folder, n, ".");
        return path;
    }
    /* "/x" lies in "/", "a//x" in "a". */
    const char *end = slash;
    while (end > path && end[-1] == '/')
        end--;
    (void)snprintf(folder, n, "%.*s", end == path ? 1 : (int)(end - path), path);
    return slash + 1;
}

int hf_lock_take(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
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

void hf_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}
