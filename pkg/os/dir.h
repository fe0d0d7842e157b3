/* SPDX-License-Identifier: Apache-2.0 */
/* Folders. "Durable": os/file.h. Blocks. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Durable mkdir -p; `mode` (less umask): of new ones. */
HF_MUST_USE int hf_dir_make(const struct hf_fs_ops *fs, const char *path, mode_t mode, struct hf_err *err);

/* Makes the folder's names durable, if the file system can. */
HF_MUST_USE int hf_dir_sync(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Durable; follows no links. Absent: 0. -ELOOP: above 64 levels. */
HF_MUST_USE int hf_dir_remove_tree(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Without a sync of `dirfd`. */
HF_MUST_USE int hf_dir_remove_tree_at(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_err *err);

/* `folder`: "." without one. Returns the last component, in `path`. */
const char *hf_dir_of_path(const char *path, char *folder, size_t n);
