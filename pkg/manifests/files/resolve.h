/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/resolve.h - replaces the symbolic links in a path, so that the bounds of the node's configuration
 * apply to the real path. Threads: workers; hf_files_resolve() blocks. */
#pragma once

#include "manifests/files/walk.h"

/* Writes `path`, which is absolute and normal, with all symbolic links replaced. Components that do not exist yet stay
 * as they are. An absolute link starts from host_root, the mount point of the host's file system. -ELOOP: a link is in
 * a folder that a user other than root and the agent's user can change, or there are more than 8 links. -ENAMETOOLONG:
 * the result, or a component of it, is too long. -EILSEQ: the result is not UTF-8, and no record can hold it. */
HF_MUST_USE int hf_files_resolve(const struct hf_fs_ops *fs, const char *host_root, const char *path,
                                 char ret_path[HF_FILES_MAX_PATH], struct hf_err *err);
