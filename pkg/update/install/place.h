/* update/install/place.h - where a release goes: an install path below an allowed root, opened so that nothing can lead it elsewhere.
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
#include "update/rules/trouble.h"
#include "update/state/journal.h"

/* Below which folders releases may be installed unless the operator of a node says otherwise. */
#define HF_UPDATE_ROOTS "/opt", "/usr/local", "/var/lib/holdfast/payload"

struct hf_place {
    const struct hf_fs_ops *fs;
    const char *const *roots; /* absolute, NULL ends */
    const char *host_root;    /* where the host's "/" is seen; NULL or "": here */
    const char *path;         /* install.path */
    const char *release;      /* its name */
};

/* The opened folder of the target and the target's name in it. */
struct hf_spot {
    const struct hf_fs_ops *fs;
    int dirfd;
    char name[NAME_MAX + 1];
    const char *release; /* borrowed from the place */
};

/* Pure: is the path normal and strictly below a root? -EACCES. */
HF_MUST_USE int hf_place_check(const struct hf_place *place, struct hf_trouble *trouble);

/* -ENOENT: a folder on the way does not exist (`missing`, when given, gets the topmost one). Close with hf_spot_done(). */
HF_MUST_USE int hf_spot_open(const struct hf_place *place, struct hf_spot *ret_spot, char missing[HF_UPDATE_MAX_PATH],
                             struct hf_trouble *trouble);
void hf_spot_done(struct hf_spot *spot);

/* Make what is missing on the way (0755), durable. */
HF_MUST_USE int hf_place_make(const struct hf_place *place, struct hf_trouble *trouble);
/* Remove folders made by it, from the target's own up to `made`, as long as they are empty. */
HF_MUST_USE int hf_place_unmake(const struct hf_place *place, const char *made, struct hf_trouble *trouble);

/* ---- names beside the target -------------------------------------------------------------------------------------- */

enum hf_stage {
    HF_STAGE_PART,    /* what is being downloaded */
    HF_STAGE_NEW,     /* the new file, or a tree's archive */
    HF_STAGE_OLD,     /* second name of the old file */
    HF_STAGE_LINK,    /* a tree's next link */
    HF_STAGE_TREE,    /* folder of a release's trees, one per SHA-256 */
    HF_STAGE_SCRATCH, /* what a delta unpacks; unlinked as soon as it is made */
    HF_STAGE_STEP,    /* a file between the old and the new one, the way of which goes by several deltas */
    HF_STAGE_POINT,   /* how far the new file is, of a delta being applied (update/install/point.h) */
    HF_STAGE_COUNT,
};
const char *hf_stage_name(const char *release, enum hf_stage stage, char name[NAME_MAX + 1]);

/* ---- files at a spot ---------------------------------------------------------------------------------------------- */

/* lstat; false with *ret_r = 0 when absent. */
bool hf_spot_stat(const struct hf_spot *spot, const char *name, struct stat *ret, int *ret_r);
HF_MUST_USE int hf_spot_unlink(const struct hf_spot *spot, const char *name,
                               struct hf_trouble *trouble); /* absent: 0 */
HF_MUST_USE int hf_spot_sync(const struct hf_spot *spot, struct hf_trouble *trouble);
/* Open a regular file, nothing else, never through a link. */
HF_MUST_USE int hf_spot_open_file(const struct hf_spot *spot, const char *name, int flags, struct hf_trouble *trouble);

/* SHA-256 and size of an open file. -ECANCELED when *cancel (may be NULL) becomes true. */
HF_MUST_USE int hf_hash_fd(const struct hf_fs_ops *fs, int fd, const atomic_bool *cancel, char hex[HF_SHA256_HEX],
                           uint64_t *ret_size, struct hf_trouble *trouble);
HF_MUST_USE int hf_hash_at(const struct hf_spot *spot, const char *name, const atomic_bool *cancel,
                           char hex[HF_SHA256_HEX], uint64_t *ret_size, struct hf_trouble *trouble);

/* All n bytes at `offset`, or why not. */
HF_MUST_USE int hf_write_at(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                            struct hf_trouble *trouble);

/* A descriptor of a table for _cleanup_. */
struct hf_handle {
    const struct hf_fs_ops *fs;
    int fd;
};
void hf_handle_done(struct hf_handle *handle);
