/* update/install/metadata.h - copies owner, mode and extended attributes from the old file to the new one. Blocks. */
#pragma once

#include "base/fs.h"
#include "update/rules/failure.h"

/* Gives the file `fd` the owner and the extended attributes of `old_fd` (-1 for a first install). Sets the mode to
 * `mode` if has_mode, otherwise to the old file's mode, or to 0755 for a first install. Leaves out the attributes
 * security.ima and security.evm, which sign the old content. -errno with the reason OwnershipLost: this process lacks
 * the rights to set the metadata, or the file system does not support an attribute; the update must not continue with
 * weaker metadata. */
HF_MUST_USE int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, bool has_mode, unsigned mode,
                                 struct hf_failure *failure);
