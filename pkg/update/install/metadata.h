/* update/install/metadata.h - gives the new file its rights, and the extended attributes of the old file. Blocks. */
#pragma once

#include "base/fs.h"
#include "update/install/rights.h"
#include "update/rules/failure.h"

/* Gives the file `fd` these rights, and the extended attributes of `old_fd` (-1 for a first install). Leaves out the
 * attributes security.ima and security.evm, which sign the old content. -errno with the reason OwnershipLost: this
 * process may not set the metadata, or the file system does not support an attribute; the update must not continue with
 * weaker metadata. */
HF_MUST_USE int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, const struct hf_rights *rights,
                                 struct hf_failure *failure);
