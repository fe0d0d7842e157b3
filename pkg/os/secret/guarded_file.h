/* SPDX-License-Identifier: Apache-2.0 */
/* Files that, like each folder on their path but sticky ones, only root and this process's user can write. Blocks. */
#pragma once

#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Returns why others can write the file, or NULL. */
const char *hf_guarded_file_flaw(const struct stat *st);

/* Appends the content. -EACCES: others can write the file or a folder on its path. -EINVAL: no regular file, or the
 * path is not absolute. -E2BIG. -ENOENT. */
HF_MUST_USE int hf_guarded_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out,
                                     struct hf_err *err);
/* Checks a program that is to be run. Errors as above; -EACCES also if it is not executable. */
HF_MUST_USE int hf_guarded_file_check(const struct hf_fs_ops *fs, const char *path, struct hf_err *err);
