/* os/dir.h - folders over any hf_fs_ops: make, sync, remove with all they hold. All functions block.
 *
 * Errors name the path. "Durable" has the meaning of os/file.h. Paths have no trailing slash. Threads: any. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Makes a folder and its missing parents, as mkdir -p; durable. `mode` is for the folders that it makes. */
HF_MUST_USE int hf_dir_make(const struct hf_fs_ops *fs, const char *path, mode_t mode, struct hf_err *err);

/* Makes the names in a folder durable. */
HF_MUST_USE int hf_dir_sync(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Removes a file, or a folder with everything in it; durable. Follows no links. An absent one is fine. */
HF_MUST_USE int hf_dir_remove_tree(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);

/* Removes `name` in the open folder `dirfd` by the same rules, without sync. */
HF_MUST_USE int hf_dir_remove_tree_at(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_err *err);

/* Copies the folder part of a path into folder[n] ("." if there is none); returns the last component, within `path`. */
const char *hf_dir_of_path(const char *path, char *folder, size_t n);
