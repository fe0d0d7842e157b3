/* SPDX-License-Identifier: Apache-2.0 */
/* os/dir.h - makes, syncs and removes folders through any hf_fs_ops. All functions block.
 *
 * Errors name the path. os/file.h explains "durable". Paths have no trailing slash. Threads: any. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Makes a folder and its missing parents durably, like mkdir -p. New folders get `mode` without the bits of the umask;
 * existing folders keep their mode. */
HF_MUST_USE int hf_dir_make(const struct hf_fs_ops *fs, const char *path, mode_t mode, struct hf_err *err);

/* Syncs a folder, which makes the names in the folder durable. Succeeds without effect on file systems that cannot sync
 * folders. */
HF_MUST_USE int hf_dir_sync(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Removes a file, or a folder with everything in it, durably. Does not follow links. Succeeds if `path` does not exist.
 * -ELOOP: the folder has more than 64 levels of subfolders. */
HF_MUST_USE int hf_dir_remove_tree(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Removes `name` in the open folder `dirfd` like hf_dir_remove_tree(), but does not sync `dirfd`. */
HF_MUST_USE int hf_dir_remove_tree_at(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_err *err);

/* Copies the folder part of `path` into folder[n]; without a folder part, copies ".". Returns a pointer to the last
 * component within `path`. */
const char *hf_dir_of_path(const char *path, char *folder, size_t n);
