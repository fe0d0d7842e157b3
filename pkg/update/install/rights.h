/* SPDX-License-Identifier: Apache-2.0 */
/* Mode and owner ("rights") of an installed file. Its manifest records them for the next version, so that changes by
 * somebody else do not spread. Workers only. */
#pragma once

#include "update/install/manifest.h"

struct hf_rights {
    unsigned mode;
    uid_t uid;
    gid_t gid;
};

/* Loads the rights of the first of versions[n] with a usable manifest in `records`; skips NULL and "". False: none
 * loaded. */
bool hf_rights_load(const struct hf_fs_ops *fs, const char *records, const char *const *versions, size_t n,
                    struct hf_rights *ret_rights);

/* Returns the rights for a file without a record: those it has, but without 0002 and set-ID bits if others may write it
 * (0002). */
struct hf_rights hf_rights_adopt(const struct stat *st);

bool hf_rights_match(const struct hf_rights *rights, const struct stat *st);

/* Sets the owner first, since that clears set-ID bits. OwnershipLost: not permitted. */
HF_MUST_USE int hf_rights_set(const struct hf_fs_ops *fs, int fd, const struct hf_rights *rights,
                              struct hf_failure *failure);
