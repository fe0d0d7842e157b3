/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a folder of the node component by component, and follows no link below the start.
 *
 * With the guard, each folder must belong to root or the agent's user, and nobody else may write it. A sticky folder
 * such as /tmp may be on the way, but not at the end. */
#pragma once

#include <limits.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/strmap.h"

enum { HF_FILES_MAX_PATH = 1024 };

struct hf_files_id {
    const char *name;
    dev_t dev;
    ino_t ino;
};

struct hf_files_walk {
    const struct hf_fs_ops *fs;
    int base;
    bool guard;
    const struct hf_files_id *closed; /* n_closed folders, refused even without the guard */
    size_t n_closed;
    mode_t mode;            /* mode of the folders that the walk makes */
    struct hf_strmap *made; /* receives the paths of these folders; may be NULL */
    char path[HF_FILES_MAX_PATH];
    int fd;
};

/* Starts at the node's root. `host_root`: where that is mounted; NULL and "" mean "/". */
HF_MUST_USE int hf_files_walk_init(struct hf_files_walk *walk, const struct hf_fs_ops *fs, const char *host_root,
                                   bool guard, struct hf_err *err);
/* Starts at the open folder `base`, which it then owns. */
void hf_files_walk_from(struct hf_files_walk *walk, const struct hf_fs_ops *fs, int base);
void hf_files_walk_done(struct hf_files_walk *walk);

/* Opens the folder `path`, absolute and normal; "" is the start. The walk owns the descriptor, which is valid until the
 * next call. `make`: makes missing folders, and syncs their parents. -ENOENT: missing. -ELOOP: a link. -ENOTDIR.
 * -EACCES: refused by the guard, or closed. */
HF_MUST_USE int hf_files_walk_to(struct hf_files_walk *walk, const char *path, bool make, struct hf_err *err);
/* Opens the folder of a file, as hf_files_walk_to() does. *ret_name: the file's name, in `path`. */
HF_MUST_USE int hf_files_walk_to_file(struct hf_files_walk *walk, const char *path, bool make, const char **ret_name,
                                      struct hf_err *err);

/* Returns the name that `ids` has for the file, or NULL. Pure. */
const char *hf_files_walk_find_id(const struct hf_files_id *ids, size_t n, const struct stat *st);

/* Syncs a folder, if its file system can. */
HF_MUST_USE int hf_files_walk_sync(const struct hf_fs_ops *fs, int fd);
