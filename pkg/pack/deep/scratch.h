/* pack/deep/scratch.h - a scratch file without a name, so that it disappears with the process. Blocks. */
#pragma once

#include "base/fs.h"
#include "pack/deep/deep.h"

struct hf_deep_file {
    const struct hf_fs_ops *fs;
    int dirfd;
    const char *name; /* borrowed */
    int fd;           /* -1: not open yet */
};

/* The first write creates <dirfd>/<name>, replacing one that a power cut left, and unlinks it at once.
 * hf_deep_file_done() closes it. */
struct hf_deep_file hf_deep_file_init(const struct hf_fs_ops *fs, int dirfd, const char *name);
void hf_deep_file_done(struct hf_deep_file *file);
/* Returns the callbacks for hf_deep_apply(); they borrow the file. */
struct hf_deep_scratch hf_deep_file_scratch(struct hf_deep_file *file);
