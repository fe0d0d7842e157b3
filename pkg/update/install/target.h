/* update/install/target.h - where a release goes: an install path below an allowed root, opened so that nothing can lead it elsewhere.
 *
 * The root is opened as the operator named it; from there to the folder of the target no component may be a symbolic link
 * (openat2), so swapping one in between two calls changes nothing. Everything that an update leaves beside the target is named
 * `.holdfast-<release>.<suffix>` and lies in the same folder: same file system, so a rename and a hard link always work.
 * Blocks. Threads: any; a place borrows its strings. */
#pragma once

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "base/macros.h"
#include "update/rules/failure.h"
#include "update/state/journal.h"

/* Below which folders releases may be installed unless the operator of a node says otherwise. */
#define HF_UPDATE_ROOTS "/opt", "/usr/local", "/var/lib/holdfast/payload"

struct hf_target {
    const struct hf_fs_ops *fs;
    const char *const *roots; /* absolute, NULL ends */
    const char *host_root;    /* where the host's "/" is seen; NULL or "": here */
    const char *path;         /* install.path */
    const char *release;      /* its name */
};

/* The opened folder of the target and the target's name in it. */
struct hf_target_dir {
    const struct hf_fs_ops *fs;
    int dirfd;
    char name[NAME_MAX + 1];
    const char *release; /* borrowed from the place */
};

/* Pure: is the path normal and strictly below a root? -EACCES. */
HF_MUST_USE int hf_target_check(const struct hf_target *target, struct hf_failure *failure);

/* -ENOENT: a folder on the way does not exist (`missing`, when given, gets the topmost one). Close with hf_target_dir_done(). */
HF_MUST_USE int hf_target_open(const struct hf_target *target, struct hf_target_dir *ret_spot,
                               char missing[HF_UPDATE_MAX_PATH], struct hf_failure *failure);
void hf_target_dir_done(struct hf_target_dir *dir);

/* Make what is missing on the way (0755), durable. */
HF_MUST_USE int hf_target_make_folders(const struct hf_target *target, struct hf_failure *failure);
/* Remove folders made by it, from the target's own up to `made`, as long as they are empty. */
HF_MUST_USE int hf_target_remove_folders(const struct hf_target *target, const char *made, struct hf_failure *failure);

/* ---- names beside the target -------------------------------------------------------------------------------------- */

enum hf_target_file {
    HF_TARGET_PART,       /* what is being downloaded */
    HF_TARGET_NEW,        /* the new file, or a tree's archive */
    HF_TARGET_OLD,        /* second name of the old file */
    HF_TARGET_LINK,       /* a tree's next link */
    HF_TARGET_TREE,       /* folder of a release's trees, one per SHA-256 */
    HF_TARGET_SCRATCH,    /* what a delta unpacks; unlinked as soon as it is made */
    HF_TARGET_STEP,       /* a file between the old and the new one, the way of which goes by several deltas */
    HF_TARGET_CHECKPOINT, /* how far the new file is, of a delta being applied (update/install/checkpoint.h) */
    HF_TARGET_COUNT,
};
const char *hf_target_file_name(const char *release, enum hf_target_file stage, char name[NAME_MAX + 1]);

/* ---- files at a dir ---------------------------------------------------------------------------------------------- */

/* lstat; false with *ret_r = 0 when absent. */
bool hf_target_stat(const struct hf_target_dir *dir, const char *name, struct stat *ret, int *ret_r);
HF_MUST_USE int hf_target_unlink(const struct hf_target_dir *dir, const char *name,
                                 struct hf_failure *failure); /* absent: 0 */
HF_MUST_USE int hf_target_sync(const struct hf_target_dir *dir, struct hf_failure *failure);
/* Open a regular file, nothing else, never through a link. */
HF_MUST_USE int hf_target_open_file(const struct hf_target_dir *dir, const char *name, int flags,
                                    struct hf_failure *failure);

/* SHA-256 and size of an open file. -ECANCELED when *cancel (may be NULL) becomes true. */
HF_MUST_USE int hf_target_hash_fd(const struct hf_fs_ops *fs, int fd, const atomic_bool *cancel,
                                  char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_failure *failure);
HF_MUST_USE int hf_target_hash(const struct hf_target_dir *dir, const char *name, const atomic_bool *cancel,
                               char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_failure *failure);

/* All n bytes at `offset`, or why not. */
HF_MUST_USE int hf_target_write(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                                struct hf_failure *failure);

/* A descriptor of a table for _cleanup_. */
struct hf_target_fd {
    const struct hf_fs_ops *fs;
    int fd;
};
void hf_target_fd_done(struct hf_target_fd *handle);
