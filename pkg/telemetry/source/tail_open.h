/* telemetry/source/tail_open.h - opens a log file to follow, and refuses a file that another user may have put there to
 * make the agent read it.
 *
 * A user who may write a log folder could put a link there that leads to a file which only root can read. So
 * hf_tail_open() resolves the path with os/walk.h, and decides by hf_owner_refuses(). Threads: loop thread;
 * opening blocks. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Opens a regular file for reading. `allows` (may be NULL) receives the path after all symbolic links are resolved, and
 * returns true if the agent may read the file at this path. Returns a descriptor or -errno. -EACCES: the agent must not
 * read the file; *err has the reason. -ELOOP: the path has a symbolic link that the agent must not follow. -EINVAL: the
 * path leads to something other than a regular file. */
HF_MUST_USE int hf_tail_open(const struct hf_fs_ops *fs, const char *path, bool (*allows)(void *arg, const char *path),
                             void *arg, struct stat *ret_st, struct hf_err *err);
