/* SPDX-License-Identifier: Apache-2.0 */
/* The real file system. Static. HF_FS_BENEATH and HF_FS_NO_SYMLINKS need openat2(2): -ENOSYS before Linux 5.6. */
#pragma once

#include "base/fs.h"

const struct hf_fs_ops *hf_fs_posix(void);
