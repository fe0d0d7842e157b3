/* SPDX-License-Identifier: Apache-2.0 */
/* os/secret/guarded_file.h - reads a file that only root and this process's user can have written: a secret, or what
 * decides about one.
 *
 * Each component of the path, and each link and folder to which a symbolic link leads, must belong to root or to the
 * user of this process, and neither their group nor others may be able to write it. A folder with the sticky bit may be
 * writable for all, because only the owner of a file in it can replace the file. Blocks. Threads: any. */
#pragma once

#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Says what makes a file or folder writable for others, or NULL. */
const char *hf_guarded_file_flaw(const struct stat *st);

/* Appends the content of the file to *out. -EACCES: others could have written it. -EINVAL: it is not a regular file, or
 * `path` is not absolute. -E2BIG: *out would have more than out->max bytes. -ENOENT: it is absent. */
HF_MUST_USE int hf_guarded_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out,
                                     struct hf_err *err);
