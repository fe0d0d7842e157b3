/* update/install/metadata.h - copies owner, mode and extended attributes from the old file to the new one. Blocks. */
#pragma once

#include "base/fs.h"
#include "update/rules/failure.h"

/* Gives `fd` owner and xattrs of `old_fd` (-1: a first install), and `mode` if has_mode, else the old file's mode, else
 * 0755. Leaves out signatures of the content (security.ima, security.evm), which belong to the old bytes. -EPERM with
 * OwnershipLost: this process lacks the rights for that; the update must not continue with weaker metadata. */
HF_MUST_USE int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, bool has_mode, unsigned mode,
                                 struct hf_failure *failure);
