/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a path's last component, safe from other users' links. Blocks. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum { HF_WALK_MAX_PATH = 1024 };

struct hf_walk {
    int folder; /* O_PATH */
    struct stat folder_st;
    const char *name;            /* last component, no link when checked; in `path` */
    char path[HF_WALK_MAX_PATH]; /* absolute, without links, "." and ".." */
};

/* `path`: absolute, not "/". Its last component may be absent; if a link, it is followed. Then open ret_walk->name with
 * O_NOFOLLOW relative to ret_walk->folder. -ELOOP: another user's link, or more than 8. -ENOENT, -ENOTDIR: before the
 * last component. -ENAMETOOLONG. -EINVAL. */
HF_MUST_USE int hf_walk_to(const struct hf_fs_ops *fs, const char *path, struct hf_walk *ret_walk, struct hf_err *err);

void hf_walk_done(const struct hf_fs_ops *fs, struct hf_walk *walk);
