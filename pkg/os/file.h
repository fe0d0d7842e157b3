/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files. Blocks.
 *
 * "Durable": what succeeded survives a power cut; after a failure, call again. Paths have no final slash. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Appends the content; on failure *out is unchanged. -E2BIG: out->max. -ENOENT. -EINVAL: no regular file. */
HF_MUST_USE int hf_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err);

enum { HF_FILE_ID = 40 };
/* Returns false, and "", if the file has no id of less than HF_FILE_ID bytes. */
bool hf_file_read_id(const struct hf_fs_ops *fs, const char *path, char id[HF_FILE_ID]);
/* Reads this boot's id, or "". Monotonic times are comparable only within a boot. */
void hf_file_boot_id(const struct hf_fs_ops *fs, char id[HF_FILE_ID]);

static inline bool hf_file_is_damage(int r)
{
    return r == -EBADMSG || r == -E2BIG || r == -EINVAL;
}

HF_MUST_USE int hf_file_write_all(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset);

/* Copies [begin, end), without a sync. `from` and `to` may be one file, whose pages are thus written again (fs.h,
 * drop_cache). -EIO: `from` is shorter, or pwrite() wrote nothing. */
HF_MUST_USE int hf_file_copy(const struct hf_fs_ops *fs, int from, int to, uint64_t begin, uint64_t end);

/* Durable. Writes `<path>.new` and renames it, so that readers see the old or the new file whole. */
HF_MUST_USE int hf_file_replace(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                                struct hf_err *err);

/* Durable. Returns 0 also if the file is absent. */
HF_MUST_USE int hf_file_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Durable. Removes a file and the `<path>.new` of a power cut. If both are absent, succeeds on a read-only file system,
 * too. */
HF_MUST_USE int hf_file_forget(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Locks the file, which it makes if needed. Returns a descriptor; closing it unlocks. -EWOULDBLOCK: another process has
 * the lock. */
HF_MUST_USE int hf_file_lock(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);
