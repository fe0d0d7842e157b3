/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a folder or a file of this node into a bundle.
 *
 * Links in `path` are followed if only root can make them (os/walk.h); below it, a link to a regular file that is below
 * `path`, too, is read as that file. Refused: other links, devices, sockets, pipes, and files that another user may
 * have linked (os/owner.h). Left out: ".git", and names that begin with ".." (of kubelets' volumes). A closed folder
 * above, at or below what is read refuses all of it, by whatever name (manifests/files/closed.h).
 *
 * Threads: any; the functions block. Errors: -errno with the reason in *failure. -ENOENT, SourceGone: no such path.
 * -EACCES, NotAllowed: a closed folder. -EAGAIN, SourceUnreachable: the folder is changing; read it again soon. */
#pragma once

#include "base/fs.h"
#include "manifests/files/closed.h"
#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"
#include "os/walk.h"

struct hf_folder_read_params {
    const struct hf_fs_ops *fs;
    const char *host_root; /* NULL and "": "/" */
    const char *path;      /* absolute and normal, on the host */
    const char *sub_path;  /* below `path`, relative and normal; NULL or "": everything */
    /* Closed folders on the host and for this process, at most HF_CLOSED_MAX. NULL, "" and paths that do not exist
     * close nothing. */
    const char *const *closed;
};

/* A fingerprint of names, sizes, times, inodes and modes: the same one means that nothing has changed. Writes `path`
 * without links to `resolved`, also after a failure unless the links lead nowhere (""). The bounds of the node's
 * configuration apply to that. */
HF_MUST_USE int hf_folder_read_look(const struct hf_folder_read_params *params, char fingerprint[HF_SHA256_HEX],
                                    char resolved[HF_WALK_MAX_PATH], struct hf_source_failure *failure);
/* Reads all files into a sealed bundle. -EAGAIN also if the fingerprint was another one before or after it. */
HF_MUST_USE int hf_folder_read_all(const struct hf_folder_read_params *params, const char *fingerprint,
                                   struct hf_bundle **ret_bundle, struct hf_source_failure *failure);
