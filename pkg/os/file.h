/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files. Blocks.
 *
 * "Durable": success survives a power cut; after a failure, call again. Paths without final slash. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Appends; unchanged on failure. -E2BIG: out->max. -ENOENT. -EINVAL: no regular file. */
HF_MUST_USE int hf_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err);

enum { HF_FILE_ID = 40 };
/* Reads an id. False, "": none below HF_FILE_ID bytes. */
bool hf_file_read_id(const struct hf_fs_ops *fs, const char *path, char id[HF_FILE_ID]);
/* This boot's id, or "". Monotonic times are of one boot. */
void hf_file_boot_id(const struct hf_fs_ops *fs, char id[HF_FILE_ID]);

/* `r`, a read's or parser's, means damage. After others the next read may succeed. */
static inline bool hf_file_is_damage(int r)
{
    return r == -EBADMSG || r == -E2BIG || r == -EINVAL;
}

/* No sync. -EIO: pwrite() wrote nothing. */
HF_MUST_USE int hf_file_write_all(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset);

/* [begin, end), no sync; maybe the same file, as after a failed sync only a write brings a page to the medium (fs.h,
 * drop_cache). -EIO: `from` is shorter, or pwrite() wrote nothing. */
HF_MUST_USE int hf_file_copy(const struct hf_fs_ops *fs, int from, int to, uint64_t begin, uint64_t end);

/* Durable, by `<path>.new` and rename: readers see one whole file. */
HF_MUST_USE int hf_file_replace(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                                struct hf_err *err);

/* Durable. Absent: 0. */
HF_MUST_USE int hf_file_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Also a `<path>.new` of a power cut. If both are absent, succeeds on a read-only file system, too. */
HF_MUST_USE int hf_file_forget(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* flock; makes the file. A descriptor, whose close unlocks. -EWOULDBLOCK: another process has it. */
HF_MUST_USE int hf_file_lock(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);
