/* os/fs_posix.h - the real file system, over system calls. Static, nothing to free. Threads: any.
 *
 * Opens that ask for HF_FS_BENEATH or HF_FS_NO_SYMLINKS use openat2(2) and return -ENOSYS on kernels before 5.6. */
#pragma once

#include "base/fs.h"

const struct hf_fs_ops *hf_fs_posix(void);
