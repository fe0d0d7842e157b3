/* pack/deep/scratch.h - a scratch file that nobody else sees and that is gone when it is closed, also when the process is killed. */
#pragma once

#include "base/fs.h"
#include "pack/deep/deep.h"

struct hf_deep_file {
    const struct hf_fs_ops *fs;
    int dirfd;
    const char *name; /* borrowed */
    int fd;           /* -1: not open yet */
};

/* <dirfd>/<name> is made when the first byte is written (one that a power cut left is removed), unlinked, and kept open until
 * hf_deep_file_done(). */
struct hf_deep_file hf_deep_file_init(const struct hf_fs_ops *fs, int dirfd, const char *name);
void hf_deep_file_done(struct hf_deep_file *file);
/* For hf_deep_apply(); borrows the file. */
struct hf_deep_scratch hf_deep_file_scratch(struct hf_deep_file *file);
