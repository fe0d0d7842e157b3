/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/swap.h - inspects the target, swaps the new file in, restores the old file, and cleans up.
 *
 *     swap:     link(target, .old); fsync folder; rename(.new, target); fsync folder
 *     restore:  rename(.old, target); fsync folder             (after a first installation: unlink(target))
 *
 * Without the first sync, a power cut could keep the rename but lose the only name of the old file. With kind Tree the
 * swap renames a new link over the target, and the journal keeps the old link's text. Every function may be called
 * again after a crash at any point. Worker threads only; all functions block. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/install/manifest.h"

struct hf_swap_params {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *sha256;  /* of the new file, or of the new tree's archive */
    const char *records; /* <state>/updates/<release>, the folder of the manifests; NULL: use none */
    bool has_mode;       /* kind File: the release states the mode */
    unsigned mode;
    bool had_old;
    const char *old_sha256;  /* kind File with had_old */
    const char *old_link;    /* text of the old link, for kind Tree with had_old */
    const char *made_folder; /* topmost folder that this installation made for the target, or "" */
    bool probed;             /* the new version may have run: it is or was in place */
    /* the journal records a committed version: an old file with its second name was left by a cleanup that failed */
    bool committed;
    /* an earlier process verified the new file: hf_swap_run() verifies it again */
    bool recheck;
    enum hf_install_check how; /* of hf_swap_check() */
    const atomic_bool *cancel;
};

/* The target before an update. */
struct hf_swap_inspection {
    bool exists;
    /* Of the installed file. Kind Tree: of the archive, from the name of the installed tree's folder; "" if the link
     * leads to no tree of this release, the folder is missing, or it is the new tree (hf_swap_params.sha256) and is
     * damaged. */
    char sha256[HF_SHA256_HEX];
    char link[HF_TARGET_MAX_PATH]; /* kind Tree */
    /* topmost missing folder of the path below the root, or "" */
    char missing[HF_TARGET_MAX_PATH];
    uint64_t available_bytes, total_bytes;
    uint64_t staged_bytes;           /* disk space of the download and the new file of an earlier attempt */
    char step_sha256[HF_SHA256_HEX]; /* intermediate file of an earlier attempt, or "" */
    uint64_t step_bytes;
    bool unproven; /* kind Agent: the installed tree is not the one that the supervisor knows as healthy */
};

/* Findings of earlier checks for drift. Zero it at first, and after an update. */
struct hf_swap_look {
    struct hf_install_manifest_look seen; /* `what` and `mended` are set for both kinds */
    /* Kind File: identify the file without a look at its content. An ordinary change changes at least one of them: no
     * system call can set a ctime to a chosen value. */
    uint64_t device, inode, size;
    int64_t changed_s, changed_ns;
};

/* Returns 1 if the committed version is in place, 0 if not (look->seen.what), -errno if the check failed. Kind File:
 * reads the content only if the identity has changed since the last call; kind Tree: as hf_install_manifest_check().
 * Corrects a wrong mode or owner of right content (look->seen.mended); with HF_INSTALL_CHECK_LOOK that is a difference.
 */
HF_MUST_USE int hf_swap_check(const struct hf_swap_params *params, struct hf_swap_look *look,
                              struct hf_failure *failure);

/* First restores the old file if it has its second name and the journal is lost; with a journal, removes that name,
 * which belongs to a version before the committed one. If a folder of the path is missing, the byte counts of the file
 * system are UINT64_MAX. */
HF_MUST_USE int hf_swap_inspect(const struct hf_swap_params *params, struct hf_swap_inspection *ret_inspection,
                                struct hf_failure *failure);

/* -ESTALE: the target, the new file or the new tree has changed or is missing. After any failure call
 * hf_swap_undo(). */
HF_MUST_USE int hf_swap_run(const struct hf_swap_params *params, struct hf_failure *failure);

/* Restores the old version, or after a first installation removes the new one. -ESTALE with RollbackFailed: the old
 * version is missing or differs from its manifest, or somebody else replaced the link to the new tree. */
HF_MUST_USE int hf_swap_undo(const struct hf_swap_params *params, struct hf_failure *failure);

/* Returns 1 if the target is as hf_swap_undo() leaves it (a tree: as in its manifest), 0 if not, or -errno. */
HF_MUST_USE int hf_swap_is_undone(const struct hf_swap_params *params, struct hf_failure *failure);

/* Removes downloads, unfinished and old files, old manifests, trees that the link does not name (kind Agent: nor `good`
 * and `previous` of supervisor/state.h), and folders made for a target that does not exist. Only while the journal on
 * disk records which version is in place. */
HF_MUST_USE int hf_swap_clean(const struct hf_swap_params *params, struct hf_failure *failure);
