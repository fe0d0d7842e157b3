/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces symbolic links in a path, as agent.yaml bounds the real one. */
#pragma once

#include "manifests/files/walk.h"

/* `path`: absolute and normal; missing components stay. Absolute links start from host_root. -ELOOP: a link in a folder
 * that others than root and the agent's user can change, or more than 8. -ENAMETOOLONG. -EILSEQ: not UTF-8. */
HF_MUST_USE int hf_files_resolve(const struct hf_fs_ops *fs, const char *host_root, const char *path,
                                 char ret_path[HF_FILES_MAX_PATH], struct hf_err *err);
