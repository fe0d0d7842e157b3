/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/fs.h"
#include "steps/failure.h"
#include "update/install/rights.h"

/* Sets `rights`, and the extended attributes of old_fd (-1: none) except security.ima and security.evm, which sign the
 * old content. OwnershipLost: the agent may not read or set them, or the file system does not support them; the file
 * could then grant more access than the old one, so do not install it. Blocks. */
HF_MUST_USE int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, const struct hf_rights *rights,
                                 struct hf_failure *failure);
