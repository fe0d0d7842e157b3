/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a folder of the node component by component, and follows no link.
 *
 * With the guard, each folder must belong to root or the agent's user, and nobody else may write it: so no other user
 * can redirect the agent. A sticky folder such as /tmp may be on the way, but not the end. */
#pragma once

#include <limits.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/strmap.h"

enum { HF_FILES_MAX_PATH = 1024 }; /* bytes, with its final zero */

struct hf_files_id {
    const char *name;
    dev_t dev;
    ino_t ino;
};

struct hf_files_walk {
    const struct hf_fs_ops *fs;
    int base; /* where paths start */
    bool guard;
    const struct hf_files_id *closed; /* also refused; n_closed of them */
    size_t n_closed;
    mode_t mode;                  /* of folders that the walk makes */
    struct hf_strmap *made;       /* paths of those; may be NULL */
    char path[HF_FILES_MAX_PATH]; /* of `fd` */
    int fd;                       /* -1: none */
};

/* `host_root`: mount point of the host's root; NULL and "": "/". */
HF_MUST_USE int hf_files_walk_init(struct hf_files_walk *walk, const struct hf_fs_ops *fs, const char *host_root,
                                   bool guard, struct hf_err *err);
/* Owns the open folder `base`. */
void hf_files_walk_from(struct hf_files_walk *walk, const struct hf_fs_ops *fs, int base);
void hf_files_walk_done(struct hf_files_walk *walk);

/* `path`: absolute and normal; "": the start. The walk owns the descriptor, valid until the next call. `make`: makes
 * missing folders, and syncs their parents. -ENOENT: missing. -ELOOP: a link. -ENOTDIR. -EACCES: by the guard, or
 * closed. */
HF_MUST_USE int hf_files_walk_to(struct hf_files_walk *walk, const char *path, bool make, struct hf_err *err);
/* As hf_files_walk_to(), to the folder of a file; *ret_name: its name, in `path`. */
HF_MUST_USE int hf_files_walk_to_file(struct hf_files_walk *walk, const char *path, bool make, const char **ret_name,
                                      struct hf_err *err);

/* Its name; NULL: none of `ids`. Pure. */
const char *hf_files_walk_find_id(const struct hf_files_id *ids, size_t n, const struct stat *st);

/* 0 also if the file system cannot. */
HF_MUST_USE int hf_files_walk_sync(const struct hf_fs_ops *fs, int fd);
