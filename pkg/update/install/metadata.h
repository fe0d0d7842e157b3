/* update/install/metadata.h - the new file belongs to whom the old one did, and may what it may: owner, mode, extended attributes. */
#pragma once

#include "base/fs.h"
#include "update/rules/failure.h"

/* Give `fd` the owner and xattrs of `old_fd` (-1: a first install, nothing to keep), and `mode` (has_mode), else the old file's
 * mode, else 0755. Content signatures (security.ima, security.evm) are left behind: they are of the old bytes.
 * -EPERM, OwnershipLost: this process may not; nothing weaker is done instead. Blocks. */
HF_MUST_USE int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, bool has_mode, unsigned mode,
                                 struct hf_failure *failure);
