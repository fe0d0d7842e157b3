/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a log file, unless another user may have put it there: who can write a log folder could link to root's files.
 * Blocks. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Returns a descriptor. `allows` (may be NULL) judges the resolved path. -EACCES: refused; -ELOOP: a link not to
 * follow; -EINVAL: no regular file. */
HF_MUST_USE int hf_tail_open(const struct hf_fs_ops *fs, const char *path, bool (*allows)(void *arg, const char *path),
                             void *arg, struct stat *ret_st, struct hf_err *err);

/* These hashes tell files of one name or inode apart. */

enum { HF_TAIL_MARK_BYTES = 256 };

uint64_t hf_tail_open_hash(const void *bytes, size_t n);

/* Hashes the first line, up to HF_TAIL_MARK_BYTES of it. 0: it is shorter and not complete, or unreadable. */
uint64_t hf_tail_open_hash_start(const struct hf_fs_ops *fs, int fd);

/* Hashes up to HF_TAIL_MARK_BYTES before `offset`. 0: none, or not all are readable. */
uint64_t hf_tail_open_hash_before(const struct hf_fs_ops *fs, int fd, uint64_t offset);

/* When the file was made (Unix time); 0: unknown. */
uint64_t hf_tail_open_birth_ns(const struct hf_fs_ops *fs, int fd);
