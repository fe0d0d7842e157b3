/* SPDX-License-Identifier: Apache-2.0 */
/* Mode and owner ("rights") of an installed file. Its manifest records them, and the next version gets the recorded
 * ones: changes by somebody else do not spread. Workers only; blocks. */
#pragma once

#include "update/install/manifest.h"

struct hf_rights {
    unsigned mode; /* with set-user-ID, set-group-ID, sticky */
    uid_t uid;
    gid_t gid;
};

/* Loads the rights of the first of versions[n] with a manifest in `records`; skips NULL and "". False: none. */
bool hf_rights_load(const struct hf_fs_ops *fs, const char *records, const char *const *versions, size_t n,
                    struct hf_rights *ret_rights);

/* Rights of a file without a record: as they are, but if others may write (0002), without 0002 and set-ID bits. */
struct hf_rights hf_rights_adopt(const struct stat *st);

bool hf_rights_match(const struct hf_rights *rights, const struct stat *st);

/* Owner first, which clears set-id bits. OwnershipLost: not permitted. */
HF_MUST_USE int hf_rights_set(const struct hf_fs_ops *fs, int fd, const struct hf_rights *rights,
                              struct hf_failure *failure);
