/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a link only in a folder of root or this process's user that neither group nor others can write. Each step
 * opens a folder relative to the last, so there is no race and no need of openat2(2). */
#include "os/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LINKS = 8 };

/* What one walk from "/" came to. */
enum walk_step { WALK_ARRIVED = 0, WALK_LINK = 1 };

/* Only root and this process's user can change names in it. */
static bool is_safe_folder(const struct stat *folder)
{
    return (folder->st_uid == 0 || folder->st_uid == geteuid()) && (folder->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Writes the absolute path `text` to normal[]: without "//", "." and "..". */
static int normalise(const char *text, char normal[HF_WALK_MAX_PATH])
{
    size_t n = 0;

    for (const char *p = text; *p != '\0';) {
        size_t of = strcspn(p, "/");
        if (of == 2 && p[0] == '.' && p[1] == '.') {
            while (n > 0 && normal[--n] != '/')
                ;
        } else if (of > 0 && !(of == 1 && p[0] == '.')) {
            if (n + of + 2 > HF_WALK_MAX_PATH)
                return -ENAMETOOLONG;
            normal[n++] = '/';
            memcpy(normal + n, p, of);
            n += of;
        }
        p += of + (p[of] == '/');
    }
    normal[n] = '\0';
    return n > 0 ? 0 : -EINVAL;
}

/* Replaces the component `name` (n bytes, within `path`) by the target of the link. */
static int insert_target(char path[HF_WALK_MAX_PATH], const char *name, size_t n, const char *target)
{
    char text[2 * HF_WALK_MAX_PATH + PATH_MAX];
    int before = target[0] == '/' ? 0 : (int)(name - path);

    (void)snprintf(text, sizeof(text), "%.*s%s%s", before, path, target, name + n);
    return normalise(text, path);
}

static int follow(const struct hf_fs_ops *fs, int folder, const char *name, size_t n, char path[HF_WALK_MAX_PATH],
                  struct hf_err *err)
{
    char component[NAME_MAX + 1], target[PATH_MAX];
    struct stat st;

    if (fs->fstat(fs->ctx, folder, &st) < 0 || !is_safe_folder(&st))
        return hf_err_set(err, ELOOP, "'%.*s' is a link that another user could have made", (int)(name - path + (int)n),
                          path);
    (void)snprintf(component, sizeof(component), "%.*s", (int)n, name);
    ssize_t got = fs->readlinkat(fs->ctx, folder, component, target, sizeof(target) - 1);
    if (got < 0)
        return hf_err_sys(err, (int)got, "read the link '%s'", path);
    target[got] = '\0';
    int r = insert_target(path, name, n, target);
    return r < 0 ? hf_err_sys(err, r, "follow the link '%s'", path) : WALK_LINK;
}

/* Looks at one component; opens it if it is not the last one. Returns enum walk_step or -errno. */
static int step(const struct hf_fs_ops *fs, struct hf_walk *walk, const char *name, size_t n, struct hf_err *err)
{
    bool last = name[n] == '\0';
    char component[NAME_MAX + 1];
    struct stat st;

    if (n > NAME_MAX)
        return hf_err_set(err, ENAMETOOLONG, "a component of '%s' is too long", walk->path);
    (void)snprintf(component, sizeof(component), "%.*s", (int)n, name);
    int r = fs->fstatat(fs->ctx, walk->folder, component, &st, AT_SYMLINK_NOFOLLOW);
    if (r == -ENOENT && last)
        return WALK_ARRIVED;
    if (r < 0)
        return hf_err_sys(err, r, "stat '%.*s'", (int)(name - walk->path + (int)n), walk->path);
    if (S_ISLNK(st.st_mode))
        return follow(fs, walk->folder, name, n, walk->path, err);
    if (last)
        return WALK_ARRIVED;
    int next =
        fs->openat(fs->ctx, walk->folder, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_ANY);
    if (next < 0)
        return hf_err_sys(err, next, "open folder '%.*s'", (int)(name - walk->path + (int)n), walk->path);
    (void)fs->close(fs->ctx, walk->folder);
    walk->folder = next;
    return WALK_ARRIVED;
}

/* Walks until the path ends or a link changes it. */
static int walk_once(const struct hf_fs_ops *fs, struct hf_walk *walk, struct hf_err *err)
{
    const char *name = walk->path + 1;

    walk->folder = fs->openat(fs->ctx, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    if (walk->folder < 0)
        return hf_err_sys(err, walk->folder, "open folder '/'");
    for (;;) {
        size_t n = strcspn(name, "/");
        bool last = name[n] == '\0';
        int r = step(fs, walk, name, n, err);
        if (r != WALK_ARRIVED)
            return r;
        if (last)
            break;
        name += n + 1;
    }
    walk->name = name;
    int r = fs->fstat(fs->ctx, walk->folder, &walk->folder_st);
    return r < 0 ? hf_err_sys(err, r, "stat the folder of '%s'", walk->path) : WALK_ARRIVED;
}

int hf_walk_to(const struct hf_fs_ops *fs, const char *path, struct hf_walk *ret_walk, struct hf_err *err)
{
    int r = path[0] == '/' ? normalise(path, ret_walk->path) : -EINVAL;

    ret_walk->folder = -1;
    if (r < 0)
        return hf_err_sys(err, r, "path '%.200s'", path);
    for (int i = 0; i <= MAX_LINKS; i++) {
        r = walk_once(fs, ret_walk, err);
        if (r == WALK_ARRIVED)
            return 0;
        hf_walk_done(fs, ret_walk);
        if (r < 0)
            return r;
    }
    return hf_err_set(err, ELOOP, "'%.200s' leads over too many links", path);
}

void hf_walk_done(const struct hf_fs_ops *fs, struct hf_walk *walk)
{
    if (walk->folder >= 0)
        (void)fs->close(fs->ctx, walk->folder);
    walk->folder = -1;
}
