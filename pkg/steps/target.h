/* SPDX-License-Identifier: Apache-2.0 */
/* The install path of a release, opened below an allowed root so that no symbolic link below the root can lead
 * elsewhere (openat2()). The download and all files made from it are `.holdfast-<release>.<suffix>` beside the target:
 * on its file system, so that renames and hard links work. Threads: any; what accesses files blocks. A target borrows
 * its strings. */
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
    const char *const *roots; /* absolute */
    const char *host_root;    /* mount point of the host's root file system; NULL and "": "/" */
    const char *path;         /* install.path */
    const char *release;
    uid_t uid; /* the agent's user, who owns the files that it makes */
    /* refuse a path in which another user may rename files (TargetUnsafe, steps/guard.h) */
    bool guard;
};

/* The open folder of the target, and the target's name in it. */
struct hf_target_dir {
    const struct hf_fs_ops *fs;
    int dirfd;
    char name[NAME_MAX + 1];
    const char *release; /* borrowed from struct hf_target */
    uid_t uid;           /* as in struct hf_target */
    bool guard;
};

/* The text alone. -EACCES: not in normal form, or not strictly below a root. Pure. */
HF_MUST_USE int hf_target_check(const struct hf_target *target, struct hf_failure *failure);

/* The longest root above target->path. Returns its length without slashes at the end, or 0 (*ret_root unchanged).
 * Pure. */
size_t hf_target_root(const struct hf_target *target, const char **ret_root);

/* -ENOENT: a folder is missing; `missing` (may be NULL) is the topmost one below the root, or "". Close *ret_spot with
 * hf_target_dir_done(). */
HF_MUST_USE int hf_target_open(const struct hf_target *target, struct hf_target_dir *ret_spot,
                               char missing[HF_TARGET_MAX_PATH], struct hf_failure *failure);
void hf_target_dir_done(struct hf_target_dir *dir);

/* With a missing root; mode 0755; synced. */
HF_MUST_USE int hf_target_make_folders(const struct hf_target *target, struct hf_failure *failure);
/* Removes the target's folder and its parents up to `made` ("": none); stops at one that is not empty. */
HF_MUST_USE int hf_target_remove_folders(const struct hf_target *target, const char *made, struct hf_failure *failure);

/* ---- names beside the target ------------------------------------------------------------------------------------- */

enum hf_target_file {
    HF_TARGET_PART,       /* downloaded artifact */
    HF_TARGET_NEW,        /* the new file, or the archive of a new tree */
    HF_TARGET_OLD,        /* second hard link of the old file */
    HF_TARGET_LINK,       /* before its rename over the target */
    HF_TARGET_TREE,       /* update/install/tree.h */
    HF_TARGET_SCRATCH,    /* content that a delta unpacks; unlinked as soon as it is open */
    HF_TARGET_STEP,       /* intermediate file of a chain of deltas */
    HF_TARGET_CHECKPOINT, /* update/install/checkpoint.h */
    HF_TARGET_KEPT,       /* update/kept/kept.h */
    HF_TARGET_COUNT,
};
const char *hf_target_file_name(const char *release, enum hf_target_file stage, char name[NAME_MAX + 1]);

/* ---- files in the folder ---------------------------------------------------------------------------------------- */

/* lstat(). False: it does not exist (*ret_r is 0), or an error (*ret_r is -errno). */
bool hf_target_stat(const struct hf_target_dir *dir, const char *name, struct stat *ret, int *ret_r);
/* 0 also if it does not exist. */
HF_MUST_USE int hf_target_unlink(const struct hf_target_dir *dir, const char *name, struct hf_failure *failure);
HF_MUST_USE int hf_target_sync(const struct hf_target_dir *dir, struct hf_failure *failure);
/* A regular file, never through a symbolic link. Returns the descriptor. */
HF_MUST_USE int hf_target_open_file(const struct hf_target_dir *dir, const char *name, int flags,
                                    struct hf_failure *failure);
/* Returns a descriptor, O_RDWR, of what an earlier attempt made. Removes, unread, what the agent cannot have made: a
 * folder (with its content), link or special file, one with another hard link, or of an owner other than the agent's
 * user and also_uid. -ENOENT: it does not exist, or is removed. */
HF_MUST_USE int hf_target_take_file(const struct hf_target_dir *dir, const char *name, uid_t also_uid,
                                    struct hf_failure *failure);
/* Returns a descriptor, O_RDWR, of an empty file. Removes, unread, an existing one. */
HF_MUST_USE int hf_target_make_file(const struct hf_target_dir *dir, const char *name, struct hf_failure *failure);

/* -ECANCELED: *cancel is true (`cancel` may be NULL). -EFBIG: it has more bytes than its file system, so that reading
 * would not end. */
HF_MUST_USE int hf_target_hash_fd(const struct hf_fs_ops *fs, int fd, const atomic_bool *cancel,
                                  char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_failure *failure);
HF_MUST_USE int hf_target_hash(const struct hf_target_dir *dir, const char *name, const atomic_bool *cancel,
                               char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_failure *failure);

/* All n bytes. */
HF_MUST_USE int hf_target_write(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                                struct hf_failure *failure);

/* For _cleanup_(hf_target_fd_done). */
struct hf_target_fd {
    const struct hf_fs_ops *fs;
    int fd;
};
void hf_target_fd_done(struct hf_target_fd *handle);
