/* SPDX-License-Identifier: Apache-2.0 */
/* os/walk.h - finds the folder that contains a path's last component, so that no other user can lead the caller
 * elsewhere by a symbolic link.
 *
 * Follows a symbolic link only if the folder that contains the link belongs to root or to the user of this process, and
 * neither group nor others can write to that folder. Each step opens one folder relative to the folder of the previous
 * step, so the walk needs no openat2(2) and has no race. Threads: any; the functions block. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum { HF_WALK_MAX_PATH = 1024 };

struct hf_walk {
    int folder;            /* descriptor of the last component's folder, opened with O_PATH */
    struct stat folder_st; /* status of `folder` */
    /* last component, which was not a link when hf_walk_to() checked; points into `path` */
    const char *name;
    char path[HF_WALK_MAX_PATH]; /* the absolute path without links, "." and ".." */
};

/* Walks to the folder of `path` (absolute, not "/"). The last component may be absent. If the last component is a link,
 * the walk continues to the path that the link names, or fails with -ELOOP. After the walk, open ret_walk->name with
 * O_NOFOLLOW, relative to ret_walk->folder, and then call hf_walk_done(). -ELOOP: the path has a link that another user
 * could have made, or more than 8 links. -ENOENT: a component before the last one does not exist. -ENOTDIR: a component
 * before the last one is not a folder. -ENAMETOOLONG: the path or a component is too long. -EINVAL: `path` is not
 * absolute, or is "/". */
HF_MUST_USE int hf_walk_to(const struct hf_fs_ops *fs, const char *path, struct hf_walk *ret_walk, struct hf_err *err);

/* Closes the folder. */
void hf_walk_done(const struct hf_fs_ops *fs, struct hf_walk *walk);

/* Returns true if only root and the user of this process can change the names in this folder. */
bool hf_walk_is_safe_folder(const struct stat *folder);
