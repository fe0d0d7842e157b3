/* SPDX-License-Identifier: Apache-2.0 */
/* agent/images/runtime_files.h - reads a containerd's configuration with all that it imports. Blocks. */
#pragma once

#include "agent/images/runtime.h"
#include "base/fs.h"

/* In containerd's order. False: a file cannot be read, or there are too many. */
bool hf_image_runtime_load(const struct hf_fs_ops *fs, const char *path, struct hf_image_runtime *ret_runtime);
