/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the folder of a path's last component, safe from other users' links. Blocks. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum { HF_WALK_MAX_PATH = 1024 };

struct hf_walk {
    int folder;
    struct stat folder_st;
    const char *name; /* the last component, in `path`; no link when it was checked */
    char path[HF_WALK_MAX_PATH];
};

/* `path`: absolute, not "/". Its last component may be absent; a link there is followed. Then open ret_walk->name with
 * O_NOFOLLOW relative to ret_walk->folder. -ELOOP: a link that another user could make, or more than 8. -ENOENT,
 * -ENOTDIR: before the last component. -ENAMETOOLONG. -EINVAL. */
HF_MUST_USE int hf_walk_to(const struct hf_fs_ops *fs, const char *path, struct hf_walk *ret_walk, struct hf_err *err);

void hf_walk_done(const struct hf_fs_ops *fs, struct hf_walk *walk);
