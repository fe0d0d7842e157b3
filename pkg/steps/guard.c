/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 128 };

/* 0 if only root and `uid` can rename entries of the folder. */
static int judge(const struct stat *st, uid_t uid, bool sticky_is_safe, const char *path, struct hf_failure *failure)
{
    bool writable = (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;

    if (st->st_uid != 0 && st->st_uid != uid)
        return hf_failure_set(failure, HF_R_TargetUnsafe, EACCES, "user %u owns the folder '%.150s'", st->st_uid, path);
    if (writable && !(sticky_is_safe && (st->st_mode & S_ISVTX) != 0))
        return hf_failure_set(failure, HF_R_TargetUnsafe, EACCES, "the folder '%.150s' has mode %04o", path,
                              st->st_mode & 07777);
    return 0;
}

int hf_guard_folder(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path, struct hf_failure *failure)
{
    struct stat st;
    int r = fs->fstat(fs->ctx, fd, &st);

    return r < 0 ? hf_failure_sys(failure, r, "stat '%.200s'", path) : judge(&st, uid, false, path, failure);
}

static int guard_names(const struct hf_fs_ops *fs, uid_t uid, const char *path, struct hf_failure *failure)
{
    char above[PATH_MAX];
    struct stat st;

    (void)snprintf(above, sizeof(above), "%s", path);
    for (char *slash; (slash = strrchr(above, '/')) != NULL;) {
        *(slash == above ? slash + 1 : slash) = '\0';
        int r = fs->fstatat(fs->ctx, AT_FDCWD, above, &st, 0);
        if (r < 0)
            return hf_failure_sys(failure, r, "stat '%.200s'", above);
        r = judge(&st, uid, true, above, failure);
        if (r < 0 || slash == above)
            return r;
    }
    return 0;
}

int hf_guard_above(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path, struct hf_failure *failure)
{
    struct stat st, up;
    char name[2 * MAX_DEPTH + 8] = ".";
    int r = guard_names(fs, uid, path, failure);

    if (r == 0)
        r = fs->fstat(fs->ctx, fd, &st);
    for (int depth = 0; r == 0 && depth < MAX_DEPTH / 2; depth++) {
        (void)snprintf(name + 1 + 3 * (size_t)depth, 4, "/..");
        r = fs->fstatat(fs->ctx, fd, name, &up, 0);
        if (r < 0)
            return hf_failure_sys(failure, r, "stat a folder above '%.200s'", path);
        if (up.st_ino == st.st_ino && up.st_dev == st.st_dev)
            return 0;
        r = judge(&up, uid, true, path, failure);
        st = up;
    }
    return r;
}
