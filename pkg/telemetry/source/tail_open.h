/* telemetry/source/tail_open.h - opens a log file to follow, and refuses a file that another user may have put there to
 * make the agent read it.
 *
 * A user who may write a log folder could put a link there that leads to a file which only root can read. So the path
 * is resolved with os/walk.h, and the owners of file and folder decide. Threads: loop thread; opening blocks. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Decides if an agent that runs as user `self` may read a regular file in this folder. Returns NULL if it may,
 * otherwise the reason as static text. Pure. Never refuses a file that everyone may read, nor a file in a folder that
 * only root and `self` can write. In other folders, refuses a file that has several hard links; a file of root or
 * `self`, if the folder has another owner or everyone may write it; and a file of another user, unless root, `self` or
 * that user owns the folder. */
const char *hf_tail_open_refuses(const struct stat *folder, const struct stat *file, uid_t self);

/* Opens a regular file for reading. `allows` (may be NULL) receives the path without links, and returns true if the
 * agent may read the file at this path. Returns a descriptor, or -errno: -EACCES: the file is refused; *err says why.
 * -ELOOP: the path has a link that may not be followed. -EINVAL: the path leads to something other than a regular
 * file. */
HF_MUST_USE int hf_tail_open(const struct hf_fs_ops *fs, const char *path, bool (*allows)(void *arg, const char *path),
                             void *arg, struct stat *ret_st, struct hf_err *err);
