/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/folder_read.h - reads a folder or a file of this node into a bundle.
 *
 * Components of `path` may be symbolic links if only root can make them (os/walk.h), so that `path` may be a link to
 * the current checkout. Below `path`, a link is read as the regular file that it leads to, if this file is below `path`
 * too. The functions refuse other links, devices, sockets and pipes, and files that another user may have linked there
 * (os/owner.h). They leave out entries named ".git", and entries whose names begin with "..", which kubelets make
 * beside the files of a volume. If what they would read is a closed folder, has one in it or lies below one, they
 * refuse all of it: a part would be an incomplete set. A closed folder is known by all of its names
 * (manifests/files/closed.h).
 *
 * hf_folder_read_look() reads only attributes. If two calls return the same fingerprint, nothing has changed between
 * them. Both functions block: call them in jobs or command-line programs. Threads: any. Errors: the functions return 0,
 * or -errno with the reason in *failure. -ENOENT with SourceGone: the path does not exist. -EACCES with NotAllowed: a
 * closed folder, which the text names. -EAGAIN with SourceUnreachable: the folder is changing at this moment; read it
 * again soon. */
#pragma once

#include "base/fs.h"
#include "manifests/files/closed.h"
#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"
#include "os/walk.h"

struct hf_folder_read_params {
    const struct hf_fs_ops *fs;
    const char *host_root; /* mount point of the host's file system; NULL and "" mean "/" */
    const char *path;      /* absolute and normal path of a folder or file on the host */
    const char *sub_path;  /* folder or file below `path` to read; relative and normal; NULL or "" to read everything */
    /* Closed folders, at most HF_CLOSED_MAX: paths that count on the host as well as for this process. NULL
     * ends the list. Folders that do not exist, and "", close nothing. NULL instead of a list: no folder is closed. */
    const char *const *closed;
};

/* Computes the fingerprint of the names, sizes, times, inodes and modes of all files. Replaces the symbolic links in
 * `path`, and writes the result to `resolved`. The bounds of the node's configuration apply to this result. After a
 * failure, `resolved` is "" if the links cannot be followed; a path without links may lead to nothing. */
HF_MUST_USE int hf_folder_read_look(const struct hf_folder_read_params *params, char fingerprint[HF_SHA256_HEX],
                                    char resolved[HF_WALK_MAX_PATH], struct hf_source_failure *failure);
/* Reads all files into a sealed bundle. -EAGAIN: before or after the reading, the folder's fingerprint differed from
 * `fingerprint`. */
HF_MUST_USE int hf_folder_read_all(const struct hf_folder_read_params *params, const char *fingerprint,
                                   struct hf_bundle **ret_bundle, struct hf_source_failure *failure);
