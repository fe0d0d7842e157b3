/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/rights.h - determines which mode and owner a single installed file must have, and sets them. Here
 * "rights" means mode and owner.
 *
 * The manifest of a version (update/install/manifest.h) records mode and owner when the version is installed. The next
 * version gets the recorded values, so that a later change by somebody else does not spread to the next version.
 * Threads: worker threads only; all functions block. */
#pragma once

#include "steps/target.h"
#include "update/install/manifest.h"

struct hf_rights {
    unsigned mode; /* permission bits, with set-user-ID, set-group-ID and sticky */
    uid_t uid;
    gid_t gid;
};

/* Reads the rights from a manifest in the folder `records`. Takes the first version in versions[n] that has a manifest
 * there; skips versions that are NULL or "". Returns false if no version has a manifest. */
bool hf_rights_load(const struct hf_fs_ops *fs, const char *records, const char *const *versions, size_t n,
                    struct hf_rights *ret_rights);

/* Returns rights for a file of which the agent has no record: the present mode and owner of the file. If others may
 * write the file (mode bit 0002), the result lacks this permission, and also set-user-ID and set-group-ID. */
struct hf_rights hf_rights_adopt(const struct stat *st);

bool hf_rights_match(const struct hf_rights *rights, const struct stat *st);

/* Gives the open file these rights. Sets the owner before the mode, because a change of owner clears the set-id bits.
 * Returns -errno with the reason OwnershipLost if this process has no permission to set them. */
HF_MUST_USE int hf_rights_set(const struct hf_fs_ops *fs, int fd, const struct hf_rights *rights,
                              struct hf_failure *failure);
