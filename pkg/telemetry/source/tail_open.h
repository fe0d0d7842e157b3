/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a log file, unless another user may have put it there: whoever can write a log folder could link to a file of
 * root's, so the path is resolved (os/walk.h) and judged by hf_owner_refuses(). Threads: loop thread; blocks. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* `allows` (may be NULL): the resolved path. A descriptor; -EACCES: refused, see *err; -ELOOP: a link not to follow;
 * -EINVAL: no regular file. */
HF_MUST_USE int hf_tail_open(const struct hf_fs_ops *fs, const char *path, bool (*allows)(void *arg, const char *path),
                             void *arg, struct stat *ret_st, struct hf_err *err);

/* Tell a file from another of its name or inode; 0: unknown. */

enum { HF_TAIL_MARK_BYTES = 256 };

/* Never 0. */
uint64_t hf_tail_open_hash(const void *bytes, size_t n);

/* Hash of the first line, or of HF_TAIL_MARK_BYTES of it. 0: it is not complete. Appending does not change it. */
uint64_t hf_tail_open_hash_start(const struct hf_fs_ops *fs, int fd);

/* Before `offset`. 0: none, or not all there. */
uint64_t hf_tail_open_hash_before(const struct hf_fs_ops *fs, int fd, uint64_t offset);

/* In Unix ns; 0: unknown. */
uint64_t hf_tail_open_birth_ns(const struct hf_fs_ops *fs, int fd);
