/* SPDX-License-Identifier: Apache-2.0 */
/* Makes, syncs and removes folders, durably (os/file.h). Blocks. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Makes the folder and missing ones above it. `mode` (less umask): of new folders. */
HF_MUST_USE int hf_dir_make(const struct hf_fs_ops *fs, const char *path, mode_t mode, struct hf_err *err);

/* Returns 0 also if the file system cannot sync folders. */
HF_MUST_USE int hf_dir_sync(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Follows no link at or below `path`. Returns 0 also if `path` is absent. -ELOOP: deeper than 64 levels. */
HF_MUST_USE int hf_dir_remove_tree(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Does not sync `dirfd`. */
HF_MUST_USE int hf_dir_remove_tree_at(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_err *err);

/* Splits a path: writes its folder ("." if it has none), and returns its last component, in `path`. */
const char *hf_dir_of_path(const char *path, char *folder, size_t n);
