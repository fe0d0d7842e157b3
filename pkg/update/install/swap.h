/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/swap.h - inspects the target, swaps the new file in, restores the old file, and cleans up.
 *
 *     swap:     link(target, .old); fsync folder; rename(.new, target); fsync folder
 *     restore:  rename(.old, target); fsync folder             (after a first installation: unlink(target))
 *
 * The sync between link and rename makes the link durable before the rename. Without this sync, a power cut could keep
 * the rename but lose the link, which is then the only name of the old file. With kind Tree the target is a symbolic
 * link. The swap then renames a new link over the target, and the journal keeps the text of the old link for a
 * rollback.
 *
 * If a crash ends a function at any point, a later process may call the function again. Threads: worker threads only;
 * all functions block. Memory: the parameters are borrowed. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/install/manifest.h"

struct hf_swap_params {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *sha256;  /* hash of the new file, or of the new tree's archive */
    const char *records; /* <state>/updates/<release>, the folder of the manifests; NULL to use no manifest */
    bool has_mode;       /* kind File: true if the release states the mode */
    unsigned mode;
    bool had_old;
    const char *old_sha256;  /* hash of the old file, for kind File if had_old is true */
    const char *old_link;    /* text of the old link, for kind Tree if had_old is true */
    const char *made_folder; /* topmost folder that this installation made for the target; "" if it made none */
    bool probed;             /* true if the new version may have run, because it is or was in place */
    /* true if the journal records a committed version: an old file that still has its second name was then left by a
     * cleanup that failed */
    bool committed;
    /* true if an earlier process verified the new file, so that hf_swap_run() verifies it again */
    bool recheck;
    const atomic_bool *cancel;
};

/* The state of the target before an update. */
struct hf_swap_inspection {
    bool exists;
    /* Kind File: hash of the installed file. Kind Tree: the archive hash in the folder name of the installed tree; ""
     * in three cases: the link leads to no tree of this release; the folder is missing; or the hash is that of the new
     * tree (hf_swap_params.sha256), but the check of the tree finds a difference. */
    char sha256[HF_SHA256_HEX];
    char link[HF_TARGET_MAX_PATH]; /* text of the link at the target, for kind Tree */
    /* topmost folder of the path, below the root, that does not exist; "" if all exist */
    char missing[HF_TARGET_MAX_PATH];
    uint64_t available_bytes, total_bytes;
    uint64_t staged_bytes;           /* bytes of disk that the download and the new file of an earlier attempt use */
    char step_sha256[HF_SHA256_HEX]; /* hash of the intermediate file of an earlier attempt; "" if none */
    uint64_t step_bytes;
};

/* Findings of earlier checks for drift about the installed version. Zero-initialize the struct, and zero it again after
 * an update. */
struct hf_swap_look {
    struct hf_install_manifest_look seen; /* seen.what and seen.mended describe the last check, for both kinds */
    /* Kind File: device, inode, size and ctime identify the file, without a look at its content. Every ordinary change
     * of the file changes at least one of these fields, because no system call can set a ctime to a chosen value. */
    uint64_t device, inode, size;
    int64_t changed_s, changed_ns;
};

/* Returns 1 if the committed version is still in place, 0 if not (with the difference in look->seen.what), or -errno if
 * the check failed. For kind File, reads the content only if the identity of the file has changed since the last call.
 * For kind Tree, reads the changed files, and in addition some unchanged files (hf_install_manifest_check()). If only
 * the mode or the owner is wrong, the function corrects it through a descriptor of the file, counts this in
 * look->seen.mended and returns 1. */
HF_MUST_USE int hf_swap_check(const struct hf_swap_params *params, struct hf_swap_look *look,
                              struct hf_failure *failure);

/* Inspects the target. If a swap was not complete and its journal is lost, the old file still has its second name
 * (.old); the function first restores this old file. If the journal is not lost, the function removes the second name
 * instead, because it belongs to a version before the committed one. If a folder of the path is missing, sets
 * available_bytes and total_bytes to UINT64_MAX. */
HF_MUST_USE int hf_swap_inspect(const struct hf_swap_params *params, struct hf_swap_inspection *ret_inspection,
                                struct hf_failure *failure);

/* Swaps the new file in. -ESTALE: the target, the new file or the new tree has changed or is missing. After any
 * failure, call hf_swap_undo() to restore the old version. */
HF_MUST_USE int hf_swap_run(const struct hf_swap_params *params, struct hf_failure *failure);

/* Restores the old version, or removes the new one after a first installation. -ESTALE with the reason RollbackFailed:
 * the old version is missing, the old tree differs from its manifest, or somebody else replaced the link to the new
 * tree. */
HF_MUST_USE int hf_swap_undo(const struct hf_swap_params *params, struct hf_failure *failure);

/* Returns 1 if the target is as hf_swap_undo() leaves it: the old version (of kind Tree: as its manifest says), or
 * nothing after a first installation. Returns 0 if somebody else has put something there, or -errno. */
HF_MUST_USE int hf_swap_is_undone(const struct hf_swap_params *params, struct hf_failure *failure);

/* Removes downloads, unfinished files, old files, old manifests, trees that the target's link does not name, and
 * folders that were made for a target that does not exist. Call this function only while the journal on disk records
 * which version is in place. */
HF_MUST_USE int hf_swap_clean(const struct hf_swap_params *params, struct hf_failure *failure);
