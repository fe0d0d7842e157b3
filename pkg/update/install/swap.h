/* SPDX-License-Identifier: Apache-2.0 */
/* Inspects the target, swaps the new file in, restores the old file, and cleans up.
 *
 * All may be repeated after a crash. Workers only; blocks. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/install/manifest.h"

struct hf_swap_params {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *sha256;  /* of the new file or tree's archive */
    const char *records; /* <state>/updates/<release>, of the manifests; NULL: none */
    bool has_mode;       /* kind File: stated by the release */
    unsigned mode;
    bool had_old;
    const char *old_sha256;  /* kind File with had_old */
    const char *old_link;    /* text of the link; kind Tree with had_old */
    const char *made_folder; /* topmost that this installation made for the target, or "" */
    bool probed;             /* the new version may have run: is or was in place */
    /* the journal has a committed version: an old file with its second name is of a failed cleanup */
    bool committed;
    /* an earlier process verified the new file: hf_swap_run() does so again */
    bool recheck;
    enum hf_install_check how; /* of hf_swap_check() */
    const atomic_bool *cancel;
};

/* The target as it is before an update. */
struct hf_swap_inspection {
    bool exists;
    /* The SHA-256 of the installed file. Tree: that of the archive, by the name of its folder; "": no tree of this
     * release, a missing folder, or the new tree (hf_swap_params.sha256), damaged. */
    char sha256[HF_SHA256_HEX];
    char link[HF_TARGET_MAX_PATH]; /* kind Tree */
    /* topmost missing folder below the root, or "" */
    char missing[HF_TARGET_MAX_PATH];
    uint64_t available_bytes, total_bytes;
    uint64_t staged_bytes;           /* disk space of an earlier attempt's download and new file */
    char step_sha256[HF_SHA256_HEX]; /* of an earlier attempt, or "" */
    uint64_t step_bytes;
    bool unproven; /* kind Agent: the supervisor does not know the installed tree as healthy */
};

/* What earlier checks for drift remember. Zeroed at first, and after an update. */
struct hf_swap_look {
    struct hf_install_manifest_look seen; /* `what` and `mended`: both kinds */
    /* Kind File: of the file last read. A change changes one of them: no system call sets a ctime to a chosen value. */
    uint64_t device, inode, size;
    int64_t changed_s, changed_ns;
};

/* 1: the committed version is in place; 0: not (look->seen.what); -errno: the check failed. File: reads only another
 * identity than last time; Tree: hf_install_manifest_check(). Corrects mode or owner of right content
 * (look->seen.mended); with HF_INSTALL_CHECK_LOOK that is a difference. */
HF_MUST_USE int hf_swap_check(const struct hf_swap_params *params, struct hf_swap_look *look,
                              struct hf_failure *failure);

/* First restores an old file with its second name if the journal is lost; with a journal removes that name, of a
 * version before the committed one. A folder of the path is missing: the file system's byte counts are UINT64_MAX. */
HF_MUST_USE int hf_swap_inspect(const struct hf_swap_params *params, struct hf_swap_inspection *ret_inspection,
                                struct hf_failure *failure);

/* -ESTALE: target, new file or new tree have changed or are missing. After any failure: hf_swap_undo(). */
HF_MUST_USE int hf_swap_run(const struct hf_swap_params *params, struct hf_failure *failure);

/* The old version, or after a first installation none. -ESTALE with RollbackFailed: it is missing or differs from its
 * manifest, or somebody else replaced the link. */
HF_MUST_USE int hf_swap_undo(const struct hf_swap_params *params, struct hf_failure *failure);

/* 1: as hf_swap_undo() leaves it (a tree: as in its manifest); 0: not; -errno. */
HF_MUST_USE int hf_swap_is_undone(const struct hf_swap_params *params, struct hf_failure *failure);

/* Removes downloads, unfinished and old files, old manifests, trees without the link (kind Agent: nor `good` and
 * `previous` of supervisor/state.h), and folders made for a target that does not exist. Only while the journal on disk
 * says which version is in place. */
HF_MUST_USE int hf_swap_clean(const struct hf_swap_params *params, struct hf_failure *failure);
