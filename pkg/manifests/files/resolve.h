/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces symbolic links in a path, because agent.yaml's bounds are for the real path. */
#pragma once

#include "manifests/files/walk.h"

/* `path`: absolute and normal; missing components stay. Absolute links start from host_root. -ELOOP: more than 8 links,
 * or one in a folder that others than root and the agent's user can change. -ENAMETOOLONG. -EILSEQ: not UTF-8. */
HF_MUST_USE int hf_files_resolve(const struct hf_fs_ops *fs, const char *host_root, const char *path,
                                 char ret_path[HF_FILES_MAX_PATH], struct hf_err *err);
