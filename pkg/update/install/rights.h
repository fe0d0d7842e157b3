/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/rights.h - which mode and owner ("rights") a single installed file must have, and sets them.
 *
 * A manifest records them when a version is installed, and the next version gets the recorded ones: a later change by
 * somebody else does not spread. Worker threads only; all functions block. */
#pragma once

#include "steps/target.h"
#include "update/install/manifest.h"

struct hf_rights {
    unsigned mode; /* with set-user-ID, set-group-ID and sticky */
    uid_t uid;
    gid_t gid;
};

/* From the manifest in the folder `records` of the first of versions[n] that has one; NULL and "" are skipped. False:
 * none has. */
bool hf_rights_load(const struct hf_fs_ops *fs, const char *records, const char *const *versions, size_t n,
                    struct hf_rights *ret_rights);

/* For a file of which there is no record: its present rights. If others may write it (mode bit 0002), without this
 * permission, set-user-ID and set-group-ID. */
struct hf_rights hf_rights_adopt(const struct stat *st);

bool hf_rights_match(const struct hf_rights *rights, const struct stat *st);

/* Sets the owner first, because that clears the set-id bits. -errno with OwnershipLost: no permission. */
HF_MUST_USE int hf_rights_set(const struct hf_fs_ops *fs, int fd, const struct hf_rights *rights,
                              struct hf_failure *failure);
