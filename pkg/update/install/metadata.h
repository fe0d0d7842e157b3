/* update/install/metadata.h - gives the new file its rights, and copies the extended attributes from the old file to
 * the new file. All functions block. */
#pragma once

#include "base/fs.h"
#include "update/install/rights.h"
#include "update/rules/failure.h"

/* Gives the file `fd` the rights *rights, and the extended attributes of `old_fd` (-1 for a first install). Does not
 * copy the attributes security.ima and security.evm, because these are signatures of the old content. -errno with the
 * reason OwnershipLost: this process lacks the rights to set the metadata, or the file system does not support an
 * attribute. After this error the caller must not install the file, because its metadata would be weaker than it must
 * be. */
HF_MUST_USE int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, const struct hf_rights *rights,
                                 struct hf_failure *failure);
