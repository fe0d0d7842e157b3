/* SPDX-License-Identifier: Apache-2.0 */
/* The install path of a release, opened below an allowed root; no symbolic link below the root can lead elsewhere. The
 * download and files made from it lie beside the target as `.holdfast-<release>.<suffix>` (long names hashed), on its
 * file system, for renames and hard links. Threads: any; file access blocks. Borrows strings. */
#pragma once

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "base/macros.h"
#include "codec/sha256.h"
#include "steps/failure.h"

enum { HF_TARGET_MAX_PATH = 1088 }; /* bytes, with the terminator */

struct hf_target {
    const struct hf_fs_ops *fs;
    const char *const *roots;
    const char *host_root; /* mount point of the host's root; NULL and "": "/" */
    const char *path;
    const char *release;
    uid_t uid;
    /* refuse folders in which others may rename files (TargetUnsafe, steps/guard.h) */
    bool guard;
};

struct hf_target_dir {
    const struct hf_fs_ops *fs;
    int dirfd;
    char name[NAME_MAX + 1];
    const char *release;
    uid_t uid;
    bool guard;
};

/* Checks target->path as text. -EACCES: it is not in normal form, or not below a root. Pure. */
HF_MUST_USE int hf_target_check(const struct hf_target *target, struct hf_failure *failure);

/* Finds the longest root above target->path; if there is none, leaves *ret_root. Returns its length without final
 * slashes (0 also for "/"). Pure. */
size_t hf_target_root(const struct hf_target *target, const char **ret_root);

/* Opens the target's folder. -ENOENT: a folder is missing; `missing` (may be NULL) becomes the topmost missing folder
 * below the root, or "". */
HF_MUST_USE int hf_target_open(const struct hf_target *target, struct hf_target_dir *ret_spot,
                               char missing[HF_TARGET_MAX_PATH], struct hf_failure *failure);
void hf_target_dir_done(struct hf_target_dir *dir);

/* Makes missing folders, also the root; mode 0755; synced. */
HF_MUST_USE int hf_target_make_folders(const struct hf_target *target, struct hf_failure *failure);
/* Removes the target's folder and its parents, up to `made`; stops at one that is not empty. */
HF_MUST_USE int hf_target_remove_folders(const struct hf_target *target, const char *made, struct hf_failure *failure);

/* ---- names beside the target ------------------------------------------------------------------------------------- */

enum hf_target_file {
    HF_TARGET_PART,
    HF_TARGET_NEW,     /* new file, or the new tree's archive */
    HF_TARGET_OLD,     /* second hard link of the old file */
    HF_TARGET_LINK,    /* symbolic link, before its rename over the target */
    HF_TARGET_TREE,    /* folder of trees (update/install/tree.h) */
    HF_TARGET_SCRATCH, /* unlinked once it is open */
    HF_TARGET_STEP,
    HF_TARGET_CHECKPOINT,
    HF_TARGET_KEPT, /* folder of kept content (update/kept/kept.h) */
    HF_TARGET_COUNT,
};
const char *hf_target_file_name(const char *release, enum hf_target_file stage, char name[NAME_MAX + 1]);

/* ---- files in the folder ---------------------------------------------------------------------------------------- */

/* lstat(). False: absent (*ret_r 0), or an error (*ret_r -errno). */
bool hf_target_stat(const struct hf_target_dir *dir, const char *name, struct stat *ret, int *ret_r);
/* Removes the file; returns 0 also if it is absent. */
HF_MUST_USE int hf_target_unlink(const struct hf_target_dir *dir, const char *name, struct hf_failure *failure);
HF_MUST_USE int hf_target_sync(const struct hf_target_dir *dir, struct hf_failure *failure);
/* Opens a regular file (no symbolic link); returns the descriptor. */
HF_MUST_USE int hf_target_open_file(const struct hf_target_dir *dir, const char *name, int flags,
                                    struct hf_failure *failure);
/* Opens, O_RDWR, what an earlier attempt made. Removes what the agent cannot have made: a folder with its content, a
 * link, a special file, a file with another hard link, or an owner other than its user and also_uid. -ENOENT: absent,
 * or removed. */
HF_MUST_USE int hf_target_take_file(const struct hf_target_dir *dir, const char *name, uid_t also_uid,
                                    struct hf_failure *failure);
/* Makes an empty file after removing an existing one. Returns a descriptor, O_RDWR. */
HF_MUST_USE int hf_target_make_file(const struct hf_target_dir *dir, const char *name, struct hf_failure *failure);

/* -ECANCELED: *cancel is true (`cancel` may be NULL). -EFBIG: the file has more bytes than its file system. */
HF_MUST_USE int hf_target_hash_fd(const struct hf_fs_ops *fs, int fd, const atomic_bool *cancel,
                                  char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_failure *failure);
HF_MUST_USE int hf_target_hash(const struct hf_target_dir *dir, const char *name, const atomic_bool *cancel,
                               char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_failure *failure);

HF_MUST_USE int hf_target_write(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                                struct hf_failure *failure);
