/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/images/runtime.h"
#include "base/fs.h"

/* With its imports, in containerd's order. False: one is unreadable, or too many. Blocks. */
bool hf_image_runtime_load(const struct hf_fs_ops *fs, const char *path, struct hf_image_runtime *ret_runtime);
