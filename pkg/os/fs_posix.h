/* SPDX-License-Identifier: Apache-2.0 */
/* The real file system. Static table. openat with HF_FS_BENEATH or HF_FS_NO_SYMLINKS needs openat2(2): -ENOSYS before
 * Linux 5.6. */
#pragma once

#include "base/fs.h"

const struct hf_fs_ops *hf_fs_posix(void);
