/* SPDX-License-Identifier: Apache-2.0 */
/* pack/deep/scratch.h - a scratch file that has no name, so that the kernel removes the file when the process ends. The
 * callbacks of the scratch file block. */
#pragma once

#include "base/fs.h"
#include "pack/deep/deep.h"

struct hf_deep_file {
    const struct hf_fs_ops *fs;
    int dirfd;
    const char *name; /* name of the file in the folder `dirfd`; borrowed */
    int fd;           /* descriptor of the file (-1 while the file is not open) */
};

/* Prepares a scratch file without opening the file. The first write creates <dirfd>/<name> and unlinks that name at
 * once. If a power cut left an old file of that name, the first write replaces the old file. hf_deep_file_done() closes
 * the file. */
struct hf_deep_file hf_deep_file_init(const struct hf_fs_ops *fs, int dirfd, const char *name);
void hf_deep_file_done(struct hf_deep_file *file);
/* Returns the callbacks for hf_deep_apply(). The callbacks borrow `file`. */
struct hf_deep_scratch hf_deep_file_scratch(struct hf_deep_file *file);
