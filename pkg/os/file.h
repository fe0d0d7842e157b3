/* SPDX-License-Identifier: Apache-2.0 */
/* Reads, replaces, removes and locks whole files. Blocks.
 *
 * "Durable": on success, the effect survives a power cut; after a failure, call again. Paths have no trailing slash. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Appends. -E2BIG: beyond out->max. -ENOENT. -EINVAL: not a regular file. On failure *out is unchanged. */
HF_MUST_USE int hf_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err);

enum { HF_FILE_ID = 40 };
/* The random id in a file. False, and "": there is none of fewer than HF_FILE_ID bytes. */
bool hf_file_read_id(const struct hf_fs_ops *fs, const char *path, char id[HF_FILE_ID]);
/* "" if unknown. Times of a monotonic clock are valid in one boot only. */
void hf_file_boot_id(const struct hf_fs_ops *fs, char id[HF_FILE_ID]);

/* `r`, from a read or a parser, means damage. After other errors, the next read may succeed. */
static inline bool hf_file_is_damage(int r)
{
    return r == -EBADMSG || r == -E2BIG || r == -EINVAL;
}

/* Without sync. -EIO: pwrite() wrote nothing. */
HF_MUST_USE int hf_file_write_all(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset);

/* [begin, end), without sync; maybe to the same file, because after a failed sync only a write brings a page to the
 * medium (fs.h, drop_cache). -EIO: `from` is too short, or pwrite() wrote nothing. */
HF_MUST_USE int hf_file_copy(const struct hf_fs_ops *fs, int from, int to, uint64_t begin, uint64_t end);

/* Durable, by `<path>.new` and rename: a reader sees the whole old or new file. */
HF_MUST_USE int hf_file_replace(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                                struct hf_err *err);

/* Durable. Succeeds if absent. */
HF_MUST_USE int hf_file_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Also a `<path>.new` left by a power cut. Changes nothing if both are absent, and so succeeds on a read-only file
 * system. */
HF_MUST_USE int hf_file_forget(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* flock; makes the file. Returns a descriptor, whose close releases the lock. -EWOULDBLOCK: another process has it. */
HF_MUST_USE int hf_file_lock(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);
