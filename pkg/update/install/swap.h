/* SPDX-License-Identifier: Apache-2.0 */
/* Inspects the target, swaps the new file in, restores the old one, and cleans up. All may be repeated after a crash.
 * Workers only; blocks. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/install/manifest.h"

struct hf_swap_params {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *sha256;  /* of the new file or archive */
    const char *records; /* <state>/updates/<release>; NULL: without manifests */
    bool has_mode;
    unsigned mode;
    bool had_old;
    const char *old_sha256;  /* valid for kind File with had_old */
    const char *old_link;    /* text of the old link, for kind Tree with had_old */
    const char *made_folder; /* topmost folder made for the target, or "" */
    bool probed;
    /* a release is committed, so an old file's second hard link is a leftover */
    bool committed;
    /* hf_swap_run() verifies again what an earlier process verified */
    bool recheck;
    enum hf_install_check how;
    const atomic_bool *cancel;
};

struct hf_swap_inspection {
    bool exists;
    /* SHA-256 of the installed file. Tree: of the archive, by the folder's name; "" also if the link names no tree of
     * this release, a missing tree, or a damaged tree of the new version. */
    char sha256[HF_SHA256_HEX];
    char link[HF_TARGET_MAX_PATH]; /* kind Tree: text of the link */
    /* topmost missing folder below the root, or "" */
    char missing[HF_TARGET_MAX_PATH];
    uint64_t available_bytes, total_bytes;
    uint64_t staged_bytes;           /* bytes of an earlier attempt's download and new file */
    char step_sha256[HF_SHA256_HEX]; /* SHA-256 of an earlier attempt's intermediate file, or "" */
    uint64_t step_bytes;
    bool unproven; /* kind Agent: the supervisor does not know the installed tree as healthy */
};

/* What earlier checks for drift saw. Zeroed at first, and after an update. */
struct hf_swap_look {
    struct hf_install_manifest_look seen; /* kind File uses only `what` and `mended` */
    /* kind File: identity of the file last found right, which any change of the file changes */
    uint64_t device, inode, size;
    int64_t changed_s, changed_ns;
};

/* Checks whether the committed version is in place. 1: yes; 0: no (look->seen.what); -errno: not completed. Reads a
 * file only if its identity is not that in *look; checks a tree by hf_tree_verify(). Corrects mode or owner of right
 * content (look->seen.mended); with HF_INSTALL_CHECK_LOOK returns 0 instead. */
HF_MUST_USE int hf_swap_check(const struct hf_swap_params *params, struct hf_swap_look *look,
                              struct hf_failure *failure);

/* Inspects the target. If an old file's second hard link is left over, restores the file (only if the journal has no
 * committed release) or removes the link. available_bytes and total_bytes are UINT64_MAX if a folder of the path is
 * missing. */
HF_MUST_USE int hf_swap_inspect(const struct hf_swap_params *params, struct hf_swap_inspection *ret_inspection,
                                struct hf_failure *failure);

/* Puts the new version in place. -ESTALE: target, new file or tree has changed or is missing. After any failure:
 * hf_swap_undo(). */
HF_MUST_USE int hf_swap_run(const struct hf_swap_params *params, struct hf_failure *failure);

/* Restores the old version, or without had_old removes the new one. -ESTALE with RollbackFailed: the old version is
 * missing or changed, or somebody else replaced the link. */
HF_MUST_USE int hf_swap_undo(const struct hf_swap_params *params, struct hf_failure *failure);

/* Checks whether the old version is in place (a tree by a quick check), or without had_old, whether nothing is. 1: yes;
 * 0: no; -errno. */
HF_MUST_USE int hf_swap_is_undone(const struct hf_swap_params *params, struct hf_failure *failure);

/* Removes downloads, unfinished and old files, folders made for a target that does not exist, and, where safe, old
 * manifests and trees (kind Agent: old_link and the links `good` and `previous` of supervisor/state.h also keep
 * theirs). Call it only while the journal on disk says which version is in place. */
HF_MUST_USE int hf_swap_clean(const struct hf_swap_params *params, struct hf_failure *failure);
