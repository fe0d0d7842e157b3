/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/images/runtime.h"
#include "base/fs.h"

/* Reads `path` and its imports in containerd's order. False: a failure, such as too many. Blocks. */
bool hf_image_runtime_load(const struct hf_fs_ops *fs, const char *path, struct hf_image_runtime *ret_runtime);
