#include "telemetry/source/tail_open.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/owner.h"
#include "os/walk.h"

static int check(const struct hf_walk *walk, int fd, const struct hf_fs_ops *fs, struct stat *ret_st,
                 struct hf_err *err)
{
    int r = fs->fstat(fs->ctx, fd, ret_st);

    if (r < 0)
        return hf_err_sys(err, r, "stat '%.200s'", walk->path);
    if (!S_ISREG(ret_st->st_mode))
        return hf_err_set(err, EINVAL, "'%.200s' is not a regular file", walk->path);
    const char *why = hf_owner_refuses(&walk->folder_st, ret_st, geteuid());
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
