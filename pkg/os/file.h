/* SPDX-License-Identifier: Apache-2.0 */
/* os/file.h - reads, replaces, removes and locks whole files through any hf_fs_ops. All functions block. Threads: any.
 *
 * Errors name the path. "Durable" means that after success, the effect survives a power cut. After a failure or a
 * crash, the caller can call the function again to complete the effect. Paths have no trailing slash. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Appends the content of a file to *out. On failure, *out keeps its previous content. -E2BIG: *out would have more than
 * out->max bytes. -ENOENT: the file is absent. -EINVAL: `path` is not a regular file. */
HF_MUST_USE int hf_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err);

/* Returns true if `r`, from hf_file_read() or from a parser of the content, means that the content is damaged. After
 * any other error, the next read may succeed. */
static inline bool hf_file_is_damage(int r)
{
    return r == -EBADMSG || r == -E2BIG || r == -EINVAL;
}

/* Writes all n bytes at `offset` of an open file, with repeated calls of pwrite(), without sync. Returns 0 or -errno.
 * -EIO: a call of pwrite() wrote nothing. */
HF_MUST_USE int hf_file_write_all(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset);

/* Copies the bytes [begin, end) of the open file `from` to the same offsets of the open file `to`, without sync. They
 * may be one file: after a failed sync, only another write brings a page to the medium (fs.h, drop_cache). Returns 0 or
 * -errno. -EIO: `from` ends before `end`, or a call of pwrite() wrote nothing. */
HF_MUST_USE int hf_file_copy(const struct hf_fs_ops *fs, int from, int to, uint64_t begin, uint64_t end);

/* Replaces a file durably: writes and syncs `<path>.new`, renames `<path>.new` to `path`, and syncs the folder. A
 * concurrent reader sees either the whole old file or the whole new file. */
HF_MUST_USE int hf_file_replace(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                                struct hf_err *err);

/* Removes a file durably. Succeeds if the file is absent. */
HF_MUST_USE int hf_file_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Removes a file that hf_file_replace() wrote, and the file `<path>.new` that a power cut may have left. Both removals
 * are durable. If neither file exists, the function changes nothing and therefore succeeds on a read-only file system
 * too. */
HF_MUST_USE int hf_file_forget(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Takes an exclusive advisory lock (flock) on a file, and makes the file if it is absent. Returns a descriptor or
 * -errno. Closing the descriptor, or the end of the process, releases the lock. -EWOULDBLOCK: another process has the
 * lock. */
HF_MUST_USE int hf_file_lock(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);
