/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/closed.h - folders and files of the node that no entry may reach, by any of their names.
 *
 * A path is closed if it is below a closed folder, with or without the links that lead there; if a bind mount or a
 * second mount of the file system shows there what is below a closed folder; if an overlay passes the writes there on;
 * or if the folder has the device and inode of a closed one, which counts where /proc cannot be read. Root alone makes
 * mounts, so the result of hf_closed_find() counts for one attempt or one look. Threads: workers; hf_closed_find()
 * blocks.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "manifests/files/walk.h"

enum { HF_CLOSED_MAX = 16 };

struct hf_closed;

/* `folders` are at most HF_CLOSED_MAX paths, which count on the host and for this process; "" closes nothing, and NULL
 * ends the list. `host_root` is the mount point of the host's file system. `reserved`: a component that begins with
 * ".holdfast-" is closed, too, on the file system as well as in the path. Free *ret_closed with hf_closed_free(). */
HF_MUST_USE int hf_closed_find(const struct hf_fs_ops *fs, const char *host_root, const char *const *folders,
                               bool reserved, struct hf_closed **ret_closed, struct hf_err *err);
void hf_closed_free(struct hf_closed *closed);
HF_DEFINE_CLEANUP(struct hf_closed, hf_closed_free)

/* In the next functions `closed` may be NULL, which closes nothing. Returns the closed folder that `path` is or lies
 * below, or NULL if there is none. `path` is absolute, normal and without links, as the host sees it. */
const char *hf_closed_by_path(const struct hf_closed *closed, const char *path);
/* Returns the closed folders that exist, for a walk; *ret_n is their number. */
const struct hf_files_id *hf_closed_ids(const struct hf_closed *closed, size_t *ret_n);
/* Returns true if something is mounted at `path` of the host. */
bool hf_closed_is_mount_point(const struct hf_closed *closed, const char *path);
