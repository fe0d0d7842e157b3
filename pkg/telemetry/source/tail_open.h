/* telemetry/source/tail_open.h - opens a log file to follow, and refuses a file that another user may have put there to
 * make the agent read it.
 *
 * A user who may write a log folder could put a link there that leads to a file which only root can read. So
 * hf_tail_open() resolves the path with os/walk.h, and decides by the owners and modes of the file and its folder.
 * Threads: loop thread; opening blocks. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Decides whether an agent that runs as user `self` may read a regular file in this folder. Returns NULL if it may,
 * otherwise the reason as static text. Pure. Allows every file that everyone may read, and every file in a folder that
 * only root and `self` can write. Of all other files, refuses three kinds: files with several hard links; files of root
 * or `self`, if the folder belongs to another user or is writable by everyone; and files of other users, unless root,
 * `self` or the file's owner owns the folder. */
const char *hf_tail_open_refuses(const struct stat *folder, const struct stat *file, uid_t self);

/* Opens a regular file for reading. `allows` (may be NULL) receives the path after all symbolic links are resolved, and
 * returns true if the agent may read the file at this path. Returns a descriptor or -errno. -EACCES: the agent must not
 * read the file; *err has the reason. -ELOOP: the path has a symbolic link that the agent must not follow. -EINVAL: the
 * path leads to something other than a regular file. */
HF_MUST_USE int hf_tail_open(const struct hf_fs_ops *fs, const char *path, bool (*allows)(void *arg, const char *path),
                             void *arg, struct stat *ret_st, struct hf_err *err);
