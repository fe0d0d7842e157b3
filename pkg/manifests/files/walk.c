/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/files/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "os/owner.h"

enum { OPEN_FOLDER = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

int hf_files_walk_init(struct hf_files_walk *walk, const struct hf_fs_ops *fs, const char *host_root, bool guard,
                       struct hf_err *err)
{
    const char *root = host_root != NULL && host_root[0] != '\0' ? host_root : "/";

    *walk = (struct hf_files_walk){.fs = fs, .base = -1, .fd = -1, .guard = guard, .mode = 0755};
    int fd = fs->openat(fs->ctx, AT_FDCWD, root, OPEN_FOLDER, 0, HF_FS_ANY);
    if (fd < 0)
        return hf_err_sys(err, fd, "open folder '%.200s'", root);
    walk->base = fd;
    return 0;
}

void hf_files_walk_from(struct hf_files_walk *walk, const struct hf_fs_ops *fs, int base)
{
    *walk = (struct hf_files_walk){.fs = fs, .base = base, .fd = -1, .mode = 0700};
}

static void close_folder(struct hf_files_walk *walk)
{
    if (walk->fd >= 0 && walk->fd != walk->base)
        (void)walk->fs->close(walk->fs->ctx, walk->fd);
    walk->fd = -1;
}

void hf_files_walk_done(struct hf_files_walk *walk)
{
    if (walk->fs == NULL)
        return;
    close_folder(walk);
    if (walk->base >= 0)
        (void)walk->fs->close(walk->fs->ctx, walk->base);
    walk->base = -1;
}

int hf_files_walk_sync(const struct hf_fs_ops *fs, int fd)
{
    int r = fs->fsync(fs->ctx, fd);

    return r == -EINVAL || r == -ENOTSUP ? 0 : r;
}

/* Where the walk stands: the open folder, and how much of the path leads to it. */
struct spot {
    int fd;
    size_t n;
};

const char *hf_files_walk_find_id(const struct hf_files_id *ids, size_t n, const struct stat *st)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i].dev == st->st_dev && ids[i].ino == st->st_ino)
            return ids[i].name;
    return NULL;
}

/* A folder on the way may be sticky: nobody can rename another user's entries there, and the next folder must again
 * belong to root or to the agent. */
static int judge(const struct hf_files_walk *walk, int fd, const char *path, size_t n, bool last, struct hf_err *err)
{
    char why[128];
    struct stat st;

    if (!walk->guard && walk->closed == NULL)
        return 0;
    int r = walk->fs->fstat(walk->fs->ctx, fd, &st);
    if (r < 0)
        return hf_err_sys(err, r, "stat folder '%.*s'", (int)n, path);
    const char *closed = hf_files_walk_find_id(walk->closed, walk->n_closed, &st);
    if (closed != NULL)
        return hf_err_set(err, EACCES, "folder '%.*s' is %.100s, where no entry may write", (int)HF_MIN(n, 120u), path,
                          closed);
    if (!walk->guard)
        return 0;
    if (!last && (st.st_mode & S_ISVTX) != 0)
        st.st_mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
    if (hf_owner_is_safe(&st, why, sizeof(why)))
        return 0;
    return hf_err_set(err, EACCES, "folder '%.*s' %s", n > 0 ? (int)HF_MIN(n, 120u) : 1, n > 0 ? path : "/", why);
}

static int make_folder(const struct hf_files_walk *walk, int fd, const char *name, const char *path, size_t n)
{
    char whole[HF_FILES_MAX_PATH];
    int r = walk->fs->mkdirat(walk->fs->ctx, fd, name, walk->mode);

    if (r == -EEXIST)
        return 0;
    if (r == 0)
        r = hf_files_walk_sync(walk->fs, fd);
    if (r < 0 || walk->made == NULL)
        return r;
    (void)snprintf(whole, sizeof(whole), "%.*s", (int)n, path);
    return hf_strmap_put(walk->made, whole, NULL);
}

static int open_component(struct hf_files_walk *walk, int fd, const char *name)
{
    return walk->fs->openat(walk->fs->ctx, fd, name, OPEN_FOLDER | O_NOFOLLOW, 0, HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

/* Goes down by one component of the path. Closes the folder above, unless it is the base. */
static int step(struct hf_files_walk *walk, struct spot *spot, const char *path, bool make, struct hf_err *err)
{
    char name[NAME_MAX + 1];
    size_t part = strcspn(path + spot->n + 1, "/");
    size_t n = spot->n + 1 + part;

    if (part == 0 || part > NAME_MAX)
        return hf_err_set(err, EINVAL, "path '%.200s' has a component that is empty or too long", path);
    (void)snprintf(name, sizeof(name), "%.*s", (int)part, path + spot->n + 1);
    int next = open_component(walk, spot->fd, name);
    if (next == -ENOENT && make) {
        next = make_folder(walk, spot->fd, name, path, n);
        next = next < 0 ? next : open_component(walk, spot->fd, name);
    }
    if (next == -ELOOP || next == -ENOTDIR)
        return hf_err_set(err, -next, "'%.*s' is %s", (int)n, path,
                          next == -ELOOP ? "a symbolic link, which is not followed" : "not a folder");
    if (next < 0)
        return hf_err_sys(err, next, "open folder '%.*s'", (int)n, path);
    if (spot->fd != walk->base)
        (void)walk->fs->close(walk->fs->ctx, spot->fd);
    *spot = (struct spot){next, n};
    return judge(walk, next, path, n, path[n] == '\0', err);
}

int hf_files_walk_to(struct hf_files_walk *walk, const char *path, bool make, struct hf_err *err)
{
    size_t all = strlen(path);
    struct spot spot = {walk->base, 0};

    if (walk->fd >= 0 && strcmp(walk->path, path) == 0)
        return walk->fd;
    close_folder(walk);
    if (all >= sizeof(walk->path) || (all > 0 && path[0] != '/'))
        return hf_err_set(err, all > 0 && path[0] != '/' ? EINVAL : ENAMETOOLONG, "path '%.200s' is not usable", path);
    int r = judge(walk, walk->base, path, 0, all == 0, err);
    while (r == 0 && spot.n < all)
        r = step(walk, &spot, path, make, err);
    if (r < 0) {
        if (spot.fd != walk->base)
            (void)walk->fs->close(walk->fs->ctx, spot.fd);
        return r;
    }
    walk->fd = spot.fd;
    memcpy(walk->path, path, all + 1);
    return walk->fd;
}

int hf_files_walk_to_file(struct hf_files_walk *walk, const char *path, bool make, const char **ret_name,
                          struct hf_err *err)
{
    char folder[HF_FILES_MAX_PATH];
    const char *slash = strrchr(path, '/');

    if (slash == NULL || (size_t)(slash - path) >= sizeof(folder))
        return hf_err_set(err, EINVAL, "path '%.200s' is not usable", path);
    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
    *ret_name = slash + 1;
    return hf_files_walk_to(walk, folder, make, err);
}
