#include "telemetry/source/tail_open.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/walk.h"

static bool is_trusted(uid_t uid, uid_t self)
{
    return uid == 0 || uid == self;
}

const char *hf_tail_open_refuses(const struct stat *folder, const struct stat *file, uid_t self)
{
    bool world = (folder->st_mode & S_IWOTH) != 0, group = (folder->st_mode & S_IWGRP) != 0;

    if ((file->st_mode & S_IROTH) != 0)
        return NULL;
    if (is_trusted(folder->st_uid, self) && !world && !group)
        return NULL;
    if (file->st_nlink > 1)
        return "it has several hard links, and others than root can write its folder";
    if (is_trusted(file->st_uid, self))
        return is_trusted(folder->st_uid, self) && !world ? NULL
                                                          : "it is root's, and others than root can write its folder";
    if (file->st_uid == folder->st_uid || is_trusted(folder->st_uid, self))
        return NULL;
    return "it belongs to another user than its folder";
}

static int check(const struct hf_walk *walk, int fd, const struct hf_fs_ops *fs, struct stat *ret_st,
                 struct hf_err *err)
{
    int r = fs->fstat(fs->ctx, fd, ret_st);

    if (r < 0)
        return hf_err_sys(err, r, "stat '%.200s'", walk->path);
    if (!S_ISREG(ret_st->st_mode))
        return hf_err_set(err, EINVAL, "'%.200s' is not a regular file", walk->path);
    const char *why = hf_tail_open_refuses(&walk->folder_st, ret_st, geteuid());
    return why != NULL ? hf_err_set(err, EACCES, "'%.128s' is not read: %s", walk->path, why) : 0;
}

static int open_here(const struct hf_fs_ops *fs, const struct hf_walk *walk, struct stat *ret_st, struct hf_err *err)
{
    int fd = fs->openat(fs->ctx, walk->folder, walk->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0,
                        HF_FS_ANY);

    if (fd < 0)
        return hf_err_sys(err, fd, "open '%.200s'", walk->path);
    int r = check(walk, fd, fs, ret_st, err);
    if (r == 0)
        return fd;
    (void)fs->close(fs->ctx, fd);
    return r;
}

int hf_tail_open(const struct hf_fs_ops *fs, const char *path, bool (*allows)(void *arg, const char *path), void *arg,
                 struct stat *ret_st, struct hf_err *err)
{
    struct hf_walk walk;
    int r = hf_walk_to(fs, path, &walk, err);

    if (r < 0)
        return r;
    if (allows == NULL || allows(arg, walk.path))
        r = open_here(fs, &walk, ret_st, err);
    else
        r = hf_err_set(err, EACCES, "'%.128s' is not read: telemetry.files in agent.yaml does not allow this place",
                       walk.path);
    hf_walk_done(fs, &walk);
    return r;
}
