/* os/file.h - what is done with files all the time, over any hf_fs_ops. All of these block.
 *
 * Errors name the path. "Durable" means: after success the effect survives a power cut; after a failure, or a crash in the
 * middle, doing it again brings it about. Paths have no trailing slash. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Whole file into *out (bounded by out->max: -E2BIG). -ENOENT as such. Refuses what is no regular file (-EINVAL). */
HF_MUST_USE int hf_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err);

/* Write all n bytes at `offset` of an open file, in as many calls as that takes; not synced. 0 or -errno (-EIO: a call wrote
 * nothing). */
HF_MUST_USE int hf_file_write_all(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset);

/* Durable replacement: write `<path>.new`, fsync, rename, fsync the folder. Readers see old or new, whole. */
HF_MUST_USE int hf_file_replace(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                                struct hf_err *err);

/* Durable removal; absent is fine. */
HF_MUST_USE int hf_file_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* The same for a file that hf_file_replace() writes, and for what a cut in the middle of that left beside it. Where nothing is
 * there nothing is written: that is fine on a read-only file system, too. */
HF_MUST_USE int hf_file_forget(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Exclusive advisory lock on a file made when absent; the lock lives as long as the descriptor (so not past the process).
 * Returns the descriptor, or -EWOULDBLOCK when somebody else has it. */
HF_MUST_USE int hf_file_lock(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);
