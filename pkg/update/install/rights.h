/* update/install/rights.h - mode and owner of a single installed file: what they must be, and how they are set right.
 *
 * The manifest of a version (update/install/manifest.h) records them when the version is installed. Somebody who changes
 * them later must not be able to pass the change on to the next version. Threads: worker threads only; all functions
 * block. */
#pragma once

#include "update/install/manifest.h"
#include "update/install/target.h"

struct hf_rights {
    unsigned mode; /* permission bits, with set-id and sticky */
    uid_t uid;
    gid_t gid;
};

/* Reads the rights of the first of the versions (NULL and "" are skipped) that has a manifest in `records`. Returns
 * false if none has one. */
bool hf_rights_load(const struct hf_fs_ops *fs, const char *records, const char *const *versions, size_t n,
                    struct hf_rights *ret_rights);

/* The rights of a file for which the agent has no record: those that the file has, but nobody else may write it, and a
 * file that anybody could write loses set-user-ID and set-group-ID. */
struct hf_rights hf_rights_adopt(const struct stat *st);

bool hf_rights_match(const struct hf_rights *rights, const struct stat *st);

/* Gives the open file these rights. Owner first, because a new owner clears the set-id bits. -errno with OwnershipLost:
 * this process lacks the rights to do so. */
HF_MUST_USE int hf_rights_set(const struct hf_fs_ops *fs, int fd, const struct hf_rights *rights,
                              struct hf_failure *failure);
