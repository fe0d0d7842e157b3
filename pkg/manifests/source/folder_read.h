/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a folder or file of this node into a bundle.
 *
 * Follows links in `path` if only root can make them (os/walk.h); reads a link below it as a file if it leads to a
 * regular file below `path`. Refuses most other links, devices, sockets, pipes, and some files that another user may
 * have linked (os/owner.h). Leaves out ".git", and names that begin with ".." (kubelets' volumes). A closed folder
 * above, at or below what is read makes the read fail (manifests/files/closed.h).
 *
 * Threads: any; blocks. Errors, with *failure, such as -ENOENT, SourceGone: no such path. -EACCES, NotAllowed: a
 * closed folder. -EAGAIN, SourceUnreachable: the folder is changing. */
#pragma once

#include "base/fs.h"
#include "manifests/files/closed.h"
#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"
#include "os/walk.h"

struct hf_folder_read_params {
    const struct hf_fs_ops *fs;
    const char *host_root; /* NULL and "": "/" */
    const char *path;      /* absolute, normal, on the host */
    const char *sub_path;  /* relative, normal; NULL or "": everything */
    /* closed folders, as paths on the host and of this process, at most HF_CLOSED_MAX; NULL, "" and missing paths close
     * nothing */
    const char *const *closed;
};

/* Makes a fingerprint of names, sizes, times, inodes and modes: if it stays the same, no file has changed. `resolved`:
 * `path` without links, to which the node's bounds apply; set even after most failures, otherwise "". */
HF_MUST_USE int hf_folder_read_look(const struct hf_folder_read_params *params, char fingerprint[HF_SHA256_HEX],
                                    char resolved[HF_WALK_MAX_PATH], struct hf_source_failure *failure);
/* Reads a sealed bundle. -EAGAIN also if the fingerprint was another before or after. */
HF_MUST_USE int hf_folder_read_all(const struct hf_folder_read_params *params, const char *fingerprint,
                                   struct hf_bundle **ret_bundle, struct hf_source_failure *failure);
