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
    const char *sha256;  /* new file, or tree's archive */
    const char *records; /* <state>/updates/<release>, for manifests; NULL: none */
    bool has_mode;       /* kind File: by the release */
    unsigned mode;
    bool had_old;
    const char *old_sha256;  /* kind File with had_old */
    const char *old_link;    /* its text; kind Tree with had_old */
    const char *made_folder; /* topmost one made for the target, or "" */
    bool probed;             /* the new version is or was in place */
    /* by the journal: an old file with its second name is of a failed cleanup */
    bool committed;
    /* hf_swap_run() verifies again what an earlier process verified */
    bool recheck;
    enum hf_install_check how; /* of hf_swap_check() */
    const atomic_bool *cancel;
};

/* The target as it is before an update. */
struct hf_swap_inspection {
    bool exists;
    /* The installed file's. Tree: the archive's, by the name of its folder; "": no tree of this release, a missing
     * folder, or the new tree, damaged. */
    char sha256[HF_SHA256_HEX];
    char link[HF_TARGET_MAX_PATH]; /* kind Tree */
    /* topmost below the root, or "" */
    char missing[HF_TARGET_MAX_PATH];
    uint64_t available_bytes, total_bytes;
    uint64_t staged_bytes;           /* of an earlier attempt's download and new file */
    char step_sha256[HF_SHA256_HEX]; /* an earlier attempt's, or "" */
    uint64_t step_bytes;
    bool unproven; /* kind Agent: the supervisor does not know it as healthy */
};

/* Of earlier checks for drift. Zeroed at first, and after an update. */
struct hf_swap_look {
    struct hf_install_manifest_look seen; /* `what` and `mended`: both kinds */
    /* Kind File: the file last read. Any change shows in one of these. */
    uint64_t device, inode, size;
    int64_t changed_s, changed_ns;
};

/* Is the committed version in place? 1; 0 (look->seen.what); -errno: not completed. Reads a file only if its identity
 * has changed; a tree: hf_install_manifest_check(). Sets mode or owner of right content (look->seen.mended); with
 * HF_INSTALL_CHECK_LOOK that is a difference. */
HF_MUST_USE int hf_swap_check(const struct hf_swap_params *params, struct hf_swap_look *look,
                              struct hf_failure *failure);

/* Without a journal first restores an old file from its second name; with one removes the second name of a version
 * before the committed one. If a folder of the path is missing, available_bytes and total_bytes are UINT64_MAX. */
HF_MUST_USE int hf_swap_inspect(const struct hf_swap_params *params, struct hf_swap_inspection *ret_inspection,
                                struct hf_failure *failure);

/* -ESTALE: target, new file or tree has changed or is missing. After any failure: hf_swap_undo(). */
HF_MUST_USE int hf_swap_run(const struct hf_swap_params *params, struct hf_failure *failure);

/* Returns to the old version, or to none. -ESTALE with RollbackFailed: it is missing or differs from its manifest, or
 * somebody else replaced the link. */
HF_MUST_USE int hf_swap_undo(const struct hf_swap_params *params, struct hf_failure *failure);

/* 1: as hf_swap_undo() leaves it (a tree: as in its manifest); 0; -errno. */
HF_MUST_USE int hf_swap_is_undone(const struct hf_swap_params *params, struct hf_failure *failure);

/* Removes downloads, unfinished and old files, old manifests, unlinked trees (kind Agent: except `good` and `previous`
 * of supervisor/state.h), and folders made for a target that does not exist. Only while the journal on disk says which
 * version is in place. */
HF_MUST_USE int hf_swap_clean(const struct hf_swap_params *params, struct hf_failure *failure);
