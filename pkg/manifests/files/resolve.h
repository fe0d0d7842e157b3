/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces symbolic links in a path, so that the bounds of agent.yaml apply to the real one. Threads: workers;
 * blocks. */
#pragma once

#include "manifests/files/walk.h"

/* `path`: absolute and normal; components that do not exist stay. An absolute link starts from host_root. -ELOOP: a
 * link in a folder that others than root and the agent's user can change, or more than 8 links. -ENAMETOOLONG. -EILSEQ:
 * not UTF-8. */
HF_MUST_USE int hf_files_resolve(const struct hf_fs_ops *fs, const char *host_root, const char *path,
                                 char ret_path[HF_FILES_MAX_PATH], struct hf_err *err);
