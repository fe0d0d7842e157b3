/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/walk.h - opens a folder of the node one path component after the other, starting at the root, and
 * follows no symbolic link.
 *
 * With the guard on, each folder must belong to root or to the agent's user, and group and others must not be able to
 * write it. So no other user can redirect the agent, or swap a file while the agent works. A sticky folder that others
 * can write, such as /tmp, may be on the way to the opened folder, but may not be that folder. Threads: workers; all
 * functions block. */
#pragma once

#include <limits.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/strmap.h"

enum { HF_FILES_MAX_PATH = 1024 }; /* maximum size of a path in bytes, with its final zero */

/* A folder, whatever its path. */
struct hf_files_id {
    const char *name; /* for messages */
    dev_t dev;
    ino_t ino;
};

struct hf_files_walk {
    const struct hf_fs_ops *fs;
    int base;                         /* open folder from which all paths start */
    bool guard;                       /* refuse folders that a user other than root and the agent's user may change */
    const struct hf_files_id *closed; /* refuse these folders; n_closed of them */
    size_t n_closed;
    mode_t mode;                  /* mode of folders that the walk makes */
    struct hf_strmap *made;       /* receives, as keys, the paths of the folders that the walk makes; may be NULL */
    char path[HF_FILES_MAX_PATH]; /* path of the folder that is open as `fd` */
    int fd;                       /* -1 if no folder is open */
};

/* Starts a walk from the root of the node. `host_root` is the mount point of the host's file system; NULL and "" mean
 * "/". */
HF_MUST_USE int hf_files_walk_init(struct hf_files_walk *walk, const struct hf_fs_ops *fs, const char *host_root,
                                   bool guard, struct hf_err *err);
/* Starts a walk from an open folder, which the walk then owns. */
void hf_files_walk_from(struct hf_files_walk *walk, const struct hf_fs_ops *fs, int base);
void hf_files_walk_done(struct hf_files_walk *walk);

/* Opens the folder `path`. `path` is absolute and normal, or "" for the folder where the walk started. Returns a
 * descriptor that the walk owns and that is valid until the next call. If `make` is true, makes missing folders, and
 * syncs the folder above each of them. -ENOENT: a folder is missing. -ELOOP: a component is a symbolic link. -ENOTDIR:
 * a component is not a folder. -EACCES: the guard refuses a folder, or a folder is closed. */
HF_MUST_USE int hf_files_walk_to(struct hf_files_walk *walk, const char *path, bool make, struct hf_err *err);
/* Opens the folder of the file `path` as hf_files_walk_to() does, and sets *ret_name to the last component, a pointer
 * into `path`. */
HF_MUST_USE int hf_files_walk_to_file(struct hf_files_walk *walk, const char *path, bool make, const char **ret_name,
                                      struct hf_err *err);

/* Returns the name of the folder with this status, or NULL if it is none of them. Pure. */
const char *hf_files_walk_find_id(const struct hf_files_id *ids, size_t n, const struct stat *st);

/* Syncs an open folder. Returns 0 or -errno; returns 0 if the file system cannot sync folders. */
HF_MUST_USE int hf_files_walk_sync(const struct hf_fs_ops *fs, int fd);
