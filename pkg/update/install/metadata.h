/* SPDX-License-Identifier: Apache-2.0 */
/* Mode, owner and extended attributes of the new file. Blocks. */
#pragma once

#include "base/fs.h"
#include "steps/failure.h"
#include "update/install/rights.h"

/* Sets `rights`, and the attributes of old_fd (-1: none) except security.ima and security.evm, which sign the old
 * content. OwnershipLost: no right, or an attribute that the file system lacks: do not install, as the file could grant
 * more access than the old one. */
HF_MUST_USE int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, const struct hf_rights *rights,
                                 struct hf_failure *failure);
