/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a file that only root and this process's user can have written. Blocks. */
#pragma once

#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* The reason for which it is writable for others, or NULL. */
const char *hf_guarded_file_flaw(const struct stat *st);

/* -EACCES: others could have written it. -EINVAL: not a regular file, or not absolute. -E2BIG. -ENOENT. */
HF_MUST_USE int hf_guarded_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out,
                                     struct hf_err *err);
