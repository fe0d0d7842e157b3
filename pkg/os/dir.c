/* SPDX-License-Identifier: Apache-2.0 */
#include "os/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/strmap.h"

enum { MAX_TREE_DEPTH = 64 };

const char *hf_dir_of_path(const char *path, char *folder, size_t n)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        (void)snprintf(folder, n, ".");
        return path;
    }
    /* "/x" is in "/", and "a//x" in "a". */
    const char *end = slash;
    while (end > path && end[-1] == '/')
        end--;
    (void)snprintf(folder, n, "%.*s", end == path ? 1 : (int)(end - path), path);
    return slash + 1;
}

int hf_dir_sync(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd folder = {fs, -1};
    folder.fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
    if (folder.fd < 0)
        return hf_err_sys(err, folder.fd, "open '%s'", path);
    int r = fs->fsync(fs->ctx, folder.fd);
    /* Some file systems (FUSE, 9p) cannot sync a folder; nothing makes their names more durable. */
    if (r < 0 && r != -EINVAL && r != -ENOTSUP)
        return hf_err_sys(err, r, "sync folder '%s'", path);
    return 0;
}

static int sync_parent(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char parent[PATH_MAX];

    (void)hf_dir_of_path(path, parent, sizeof(parent));
    return hf_dir_sync(fs, parent, err);
}

/* Makes one component: 1 if made, 0 if the folder exists. */
static int make_one(const struct hf_fs_ops *fs, const char *path, mode_t mode, struct hf_err *err)
{
    struct stat st;
    int r = fs->mkdirat(fs->ctx, AT_FDCWD, path, mode);

    if (r == 0) {
        r = sync_parent(fs, path, err);
        if (r < 0) /* what finds the folder takes its name for durable */
            (void)fs->unlinkat(fs->ctx, AT_FDCWD, path, AT_REMOVEDIR);
        return r < 0 ? r : 1;
    }
    if (r != -EEXIST && r != -EISDIR && r != -EROFS && r != -EACCES)
        return hf_err_sys(err, r, "make folder '%s'", path);
    int seen = fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0);
    if (seen < 0)
        return hf_err_sys(err, seen == -ENOENT ? r : seen, "make folder '%s'", path);
    return S_ISDIR(st.st_mode) ? 0 : hf_err_set(err, ENOTDIR, "make folder '%s': it exists and is not a folder", path);
}

/* A run before this one may have made the deepest existing folder and died before the sync, so sync its parent; it
 * had synced all folders above. A parent that we may not read is certainly not ours. */
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
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd folder = {fs, -1};
    int r = fs->unlinkat(fs->ctx, dirfd, name, 0);

    if (r == 0 || r == -ENOENT)
        return 0;
    if (r != -EISDIR && r != -EPERM)
        return hf_err_sys(err, r, "remove '%s'", name);
    if (depth > MAX_TREE_DEPTH)
        return hf_err_set(err, ELOOP, "remove '%s': more than %d folders deep", name, MAX_TREE_DEPTH);
    folder.fd = fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, HF_FS_ANY);
    if (folder.fd == -ENOENT)
        return 0; /* some refuse any change of a folder before they look for the name */
    if (folder.fd < 0)
        return hf_err_sys(err, folder.fd == -ENOTDIR ? r : folder.fd, "open folder '%s'", name);
    r = empty_folder(fs, folder.fd, name, depth, err);
    if (r < 0)
        return r;
    r = fs->unlinkat(fs->ctx, dirfd, name, AT_REMOVEDIR);
    return r < 0 && r != -ENOENT ? hf_err_sys(err, r, "remove folder '%s'", name) : 0;
}

int hf_dir_remove_tree(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char folder[PATH_MAX];
    int r = remove_at(fs, AT_FDCWD, path, 0, err);

    if (r < 0)
        return r;
    (void)hf_dir_of_path(path, folder, sizeof(folder));
    r = hf_dir_sync(fs, folder, err);
    return r == -ENOENT ? 0 : r;
}

int hf_dir_remove_tree_at(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_err *err)
{
    return remove_at(fs, dirfd, name, 0, err);
}
