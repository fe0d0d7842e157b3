/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/metadata.h - gives the new file its mode and owner, and copies the extended attributes of the old file
 * to the new file. The function blocks. */
#pragma once

#include "base/fs.h"
#include "steps/failure.h"
#include "update/install/rights.h"

/* Gives the file `fd` the mode and owner in *rights, and the extended attributes of the file old_fd. If old_fd is -1 (a
 * first installation), copies no attributes. Never copies the attributes security.ima and security.evm, because these
 * are signatures of the old content. -errno with the reason OwnershipLost: this process lacks the rights to set the
 * metadata, or the file system does not support an attribute. After this error the caller must not install the file,
 * because the new file could grant more access than the old one. */
HF_MUST_USE int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, const struct hf_rights *rights,
                                 struct hf_failure *failure);
