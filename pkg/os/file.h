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

/* The same with write(2), to a real descriptor that may be a pipe or a terminal. */
HF_MUST_USE int hf_fd_write_all(int fd, const void *bytes, size_t n);

/* Durable replacement: write `<path>.new`, fsync, rename, fsync the folder. Readers see old or new, whole. */
HF_MUST_USE int hf_file_replace(const struct hf_fs_ops *fs, const char *path, const void *bytes, size_t n, mode_t mode,
                                struct hf_err *err);

/* Durable removal; absent is fine. */
HF_MUST_USE int hf_file_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* The same for a file that hf_file_replace() writes, and for what a cut in the middle of that left beside it. Where nothing is
 * there nothing is written: that is fine on a read-only file system, too. */
HF_MUST_USE int hf_file_forget(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* mkdir -p, durable, mode for what is made. */
HF_MUST_USE int hf_dir_make(const struct hf_fs_ops *fs, const char *path, mode_t mode, struct hf_err *err);
HF_MUST_USE int hf_dir_sync(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Remove a folder and what is in it, never following links; absent is fine. */
HF_MUST_USE int hf_tree_remove(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* The same for what is called `name` in the open folder `dirfd`; not synced. */
HF_MUST_USE int hf_tree_remove_at(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_err *err);

/* The folder part of a path into folder[n] ("." when there is none); returns the last component within `path`. */
const char *hf_path_split(const char *path, char *folder, size_t n);

/* Exclusive advisory lock on a file made when absent; the lock lives as long as the descriptor (so not past the process).
 * Returns the descriptor, or -EWOULDBLOCK when somebody else has it. */
HF_MUST_USE int hf_lock_take(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* close() for _cleanup_ with the real table. */
void hf_closep(int *fd);
