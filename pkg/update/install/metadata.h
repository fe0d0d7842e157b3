/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/metadata.h - gives the new file its mode and owner, and the extended attributes of the old file.
 * Blocks. */
#pragma once

#include "base/fs.h"
#include "steps/failure.h"
#include "update/install/rights.h"

/* Copies the attributes of old_fd (-1: none) except security.ima and security.evm, which sign the old content. -errno
 * with OwnershipLost: the process lacks the rights, or the file system does not support an attribute; the caller must
 * not install the file, which could grant more access than the old one. */
HF_MUST_USE int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, const struct hf_rights *rights,
                                 struct hf_failure *failure);
