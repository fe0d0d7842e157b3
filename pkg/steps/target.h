/* SPDX-License-Identifier: Apache-2.0 */
/* steps/target.h - the install path of a release: opens the path below an allowed root so that no symbolic
 * link can lead elsewhere.
 *
 * The path of the root itself may contain symbolic links, because the operator chose it. From the root to the folder of
 * the target, no component of the path may be a symbolic link. openat2() enforces this rule, so that a link that
 * somebody creates between two system calls has no effect. The download and all files made from it lie in the folder of
 * the target, under names `.holdfast-<release>.<suffix>`. They are therefore on the file system of the target, so that
 * renames and hard links between them work.
 *
 * Threads: any; every function that accesses files blocks. Memory: a target borrows its strings. */
#pragma once

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "base/macros.h"
#include "codec/sha256.h"
#include "steps/failure.h"

enum { HF_TARGET_MAX_PATH = 1088 }; /* size of an install path in bytes, with the terminator */

struct hf_target {
    const struct hf_fs_ops *fs;
    const char *const *roots; /* absolute paths of the allowed roots; NULL ends the array */
    const char *host_root;    /* mount point of the host's root file system (NULL and "" mean "/") */
    const char *path;         /* install.path */
    const char *release;      /* name of the release */
    uid_t uid;                /* the agent's user, who owns the files that the agent makes */
    /* true to refuse a path if another user may rename files in one of its folders (reason TargetUnsafe,
     * steps/guard.h) */
    bool guard;
};

/* The folder of the target as an open descriptor, and the target's name in this folder. */
struct hf_target_dir {
    const struct hf_fs_ops *fs;
    int dirfd;
    char name[NAME_MAX + 1];
    const char *release; /* name of the release, borrowed from struct hf_target */
    uid_t uid;           /* `uid` and `guard` are copies from struct hf_target */
    bool guard;
};

/* Checks the text of the path and reads nothing from disk. Pure. -EACCES: the path is not in normal form, or not
 * strictly below a root. */
HF_MUST_USE int hf_target_check(const struct hf_target *target, struct hf_failure *failure);

/* Finds the longest root below which target->path lies, and sets *ret_root to this root. Returns the length of the root
 * without slashes at its end. If there is no such root, returns 0 and leaves *ret_root unchanged. Pure. */
size_t hf_target_root(const struct hf_target *target, const char **ret_root);

/* Opens the folder of the target. -ENOENT: a folder of the path does not exist; `missing` (may be NULL) receives the
 * topmost missing folder below the root, or "" if there is none. Close *ret_spot with hf_target_dir_done(). */
HF_MUST_USE int hf_target_open(const struct hf_target *target, struct hf_target_dir *ret_spot,
                               char missing[HF_TARGET_MAX_PATH], struct hf_failure *failure);
void hf_target_dir_done(struct hf_target_dir *dir);

/* Makes the missing folders of the install path, and a missing root, with mode 0755, and syncs them. */
HF_MUST_USE int hf_target_make_folders(const struct hf_target *target, struct hf_failure *failure);
/* Removes the folders that an installation made. Begins with the target's own folder, and continues with its parents up
 * to and including the folder `made` ("" removes none). Stops at the first folder that is not empty. */
HF_MUST_USE int hf_target_remove_folders(const struct hf_target *target, const char *made, struct hf_failure *failure);

/* ---- names beside the target ------------------------------------------------------------------------------------- */

enum hf_target_file {
    HF_TARGET_PART,       /* downloaded artifact */
    HF_TARGET_NEW,        /* the new file, or the archive of a new tree */
    HF_TARGET_OLD,        /* second name (hard link) of the old file */
    HF_TARGET_LINK,       /* new link to a tree, before its rename over the target */
    HF_TARGET_TREE,       /* folder with the release's trees (update/install/tree.h) */
    HF_TARGET_SCRATCH,    /* file for content that a delta unpacks; unlinked as soon as it is open */
    HF_TARGET_STEP,       /* intermediate file of a chain of deltas */
    HF_TARGET_CHECKPOINT, /* checkpoints of the delta in progress (update/install/checkpoint.h) */
    HF_TARGET_COUNT,
};
const char *hf_target_file_name(const char *release, enum hf_target_file stage, char name[NAME_MAX + 1]);

/* ---- files in the folder ---------------------------------------------------------------------------------------- */

/* Reads the attributes of a file in the folder, as lstat() does. Returns true if the file exists. If the file does not
 * exist, returns false and sets *ret_r to 0. After an error, returns false and sets *ret_r to -errno. */
bool hf_target_stat(const struct hf_target_dir *dir, const char *name, struct stat *ret, int *ret_r);
/* Removes a name. Returns 0 also if the name does not exist. */
HF_MUST_USE int hf_target_unlink(const struct hf_target_dir *dir, const char *name, struct hf_failure *failure);
HF_MUST_USE int hf_target_sync(const struct hf_target_dir *dir, struct hf_failure *failure);
/* Opens a regular file in the folder; never follows a symbolic link. Returns the descriptor or -errno. */
HF_MUST_USE int hf_target_open_file(const struct hf_target_dir *dir, const char *name, int flags,
                                    struct hf_failure *failure);
/* Opens for reading and writing a file that an earlier attempt made. If the agent cannot have made the file, the
 * function removes the file without reading it. The agent never makes any of these under such a name: a folder, link or
 * special file; a file with another hard link; a file whose owner is neither the agent's user nor also_uid. The
 * function removes a folder with its content. -ENOENT: the name does not exist, or the function has removed it. */
HF_MUST_USE int hf_target_take_file(const struct hf_target_dir *dir, const char *name, uid_t also_uid,
                                    struct hf_failure *failure);
/* Makes a new file and opens it for reading and writing. Removes an existing file of this name without opening it. */
HF_MUST_USE int hf_target_make_file(const struct hf_target_dir *dir, const char *name, struct hf_failure *failure);

/* Computes SHA-256 and size of an open file. Returns 0 or -errno; -ECANCELED means that *cancel became true (`cancel`
 * may be NULL), -EFBIG that the file has more bytes than its file system, so that reading it would not end. */
HF_MUST_USE int hf_target_hash_fd(const struct hf_fs_ops *fs, int fd, const atomic_bool *cancel,
                                  char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_failure *failure);
HF_MUST_USE int hf_target_hash(const struct hf_target_dir *dir, const char *name, const atomic_bool *cancel,
                               char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_failure *failure);

/* Writes n bytes at `offset` of the file. After a short write, writes the remaining bytes too. */
HF_MUST_USE int hf_target_write(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                                struct hf_failure *failure);

/* A descriptor and the table of file functions that closes it. Declare it with _cleanup_(hf_target_fd_done). */
struct hf_target_fd {
    const struct hf_fs_ops *fs;
    int fd;
};
void hf_target_fd_done(struct hf_target_fd *handle);
