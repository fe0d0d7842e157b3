/* SPDX-License-Identifier: Apache-2.0 */
/* A scratch file without a name, which disappears with the process. Blocks. */
#pragma once

#include "base/fs.h"
#include "pack/deep/deep.h"

struct hf_deep_file {
    const struct hf_fs_ops *fs;
    int dirfd;
    const char *name;
    int fd;
};

/* Borrows `name`. The first write makes <dirfd>/<name>, even if a power cut left one, and unlinks it. */
struct hf_deep_file hf_deep_file_init(const struct hf_fs_ops *fs, int dirfd, const char *name);
void hf_deep_file_done(struct hf_deep_file *file);
/* Borrows `file`. */
struct hf_deep_scratch hf_deep_file_scratch(struct hf_deep_file *file);
