/* SPDX-License-Identifier: Apache-2.0 */
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

/* ---- what tells a file from another one with its name or inode number; 0: the file does not tell ---- */

enum { HF_TAIL_MARK_BYTES = 256 };

/* Returns a hash that is not 0. */
uint64_t hf_tail_open_hash(const void *bytes, size_t n);

/* Returns the hash of the first line, or of the first HF_TAIL_MARK_BYTES of a longer one. 0: the first line is not
 * complete yet. Appending to the file does not change the hash. */
uint64_t hf_tail_open_hash_start(const struct hf_fs_ops *fs, int fd);

/* Returns the hash of the bytes before the offset, of at most HF_TAIL_MARK_BYTES. 0: there are none, or the file does
 * not have them all. */
uint64_t hf_tail_open_hash_before(const struct hf_fs_ops *fs, int fd, uint64_t offset);

/* Returns the time at which the file was made, in Unix nanoseconds, or 0. */
uint64_t hf_tail_open_birth_ns(const struct hf_fs_ops *fs, int fd);
