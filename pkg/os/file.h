/* os/file.h - whole files over any hf_fs_ops: read, replace, remove, lock. All functions block. Threads: any.
 *
 * Errors name the path. "Durable" means: after success the effect survives a power cut; after a failure, or a crash
 * in the middle, a second attempt brings it about. Paths have no trailing slash. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Reads a whole file into *out, bounded by out->max (-E2BIG). -ENOENT: absent. -EINVAL: not a regular file. */
HF_MUST_USE int hf_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err);

/* Writes all n bytes at `offset` of an open file, in as many calls as that takes, without sync. 0 or -errno (-EIO: a
 * call wrote nothing). */
HF_MUST_USE int hf_file_write_all(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset);

/* Replaces durably: writes `<path>.new`, syncs it, renames it, syncs the folder. Readers see the old or the new
 * file, whole. */
HF_MUST_USE int hf_file_replace(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                                struct hf_err *err);

/* Removes durably; an absent file is fine. */
HF_MUST_USE int hf_file_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Removes durably a file that hf_file_replace() writes, and the `.new` file that a power cut may have left beside
 * it. Writes nothing if neither exists, so it succeeds on a read-only file system too. */
HF_MUST_USE int hf_file_forget(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Takes an exclusive advisory lock on a file, made if absent. Returns a descriptor, which holds the lock until it
 * closes, at the latest with the process. -EWOULDBLOCK: another process has the lock. */
HF_MUST_USE int hf_file_lock(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);
