/* SPDX-License-Identifier: Apache-2.0 */
/* Files that only root and this process's user can write. Blocks. */
#pragma once

#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Why others can, or NULL. */
const char *hf_guarded_file_flaw(const struct stat *st);

/* -EACCES: others can write it. -EINVAL: no regular file, or not absolute. -E2BIG. -ENOENT. */
HF_MUST_USE int hf_guarded_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out,
                                     struct hf_err *err);
/* A program, to run it: errors as above, and -EACCES if it is not executable. */
HF_MUST_USE int hf_guarded_file_check(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);
