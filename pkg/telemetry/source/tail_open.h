/* telemetry/source/tail_open.h - opens a file to follow, and refuses a file that another user put there so that the
 * agent reads it.
 *
 * A user who may write a log folder could put a link there that leads to a file which only root can read. So the path
 * is resolved with os/walk.h, and the owners of file and folder decide. Threads: loop thread; opening blocks. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Returns NULL if a process of user `self` may read the regular file for the users of its folder, otherwise the reason
 * why not (static). Pure. Refuses, in a folder that others than root and `self` can write, a file with several hard
 * links, and a file that its owner cannot have put there. A file that everyone may read is never refused. */
const char *hf_tail_open_refuses(const struct stat *folder, const struct stat *file, uid_t self);

/* Opens a regular file for reading. `allows` (may be NULL) gets the path without links, and decides whether that place
 * may be read. Returns a descriptor, or -errno: -EACCES: the file is refused; *err says why. -ELOOP: a link that may
 * not be followed. -EINVAL: not a regular file. */
HF_MUST_USE int hf_tail_open(const struct hf_fs_ops *fs, const char *path, bool (*allows)(void *arg, const char *path),
                             void *arg, struct stat *ret_st, struct hf_err *err);
