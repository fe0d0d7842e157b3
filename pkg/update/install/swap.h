/* update/install/swap.h - inspects the target, swaps the new file in, restores the old one, cleans up.
 *
 *     swap:     link(target, .old); fsync folder; rename(.new, target); fsync folder
 *     restore:  rename(.old, target); fsync folder             (a first install: unlink)
 * The sync between link and rename keeps their order on the medium: without it a power cut may keep the new name and
 * lose the backup. Kind Tree: the target is a symbolic link, replaced by renaming another one over it; the journal
 * holds the old text.
 *
 * Every function may end anywhere and run again. Threads: worker threads only; all block. Memory: parameters
 * borrow. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "update/install/target.h"

struct hf_swap_params {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *sha256; /* hash of the new file or archive */
    bool had_old;
    const char *old_sha256;  /* kind File with had_old */
    const char *old_link;    /* kind Tree with had_old: the text of the link */
    const char *made_folder; /* topmost folder made for this install; "" none */
    bool probed;             /* the new version is in place, or was */
    bool recheck;            /* another process verified the new file: verify it again before the swap */
    const atomic_bool *cancel;
};

/* The state of the target before an update. */
struct hf_swap_inspection {
    bool exists;
    /* hash of the file; kind Tree: hash of the archive, "" if the tree is not one of ours */
    char sha256[HF_SHA256_HEX];
    char link[HF_UPDATE_MAX_PATH];    /* kind Tree */
    char missing[HF_UPDATE_MAX_PATH]; /* topmost folder on the way that does not exist; "" none */
    uint64_t available_bytes, total_bytes;
    uint64_t staged_bytes;           /* files of an earlier attempt */
    char step_sha256[HF_SHA256_HEX]; /* hash of the intermediate file of an earlier attempt; "" none */
    uint64_t step_bytes;
};

/* Identifies a file without reading it: only a deliberate change leaves all of these as they are. */
struct hf_swap_identity {
    uint64_t device, inode, size;
    int64_t changed_s, changed_ns; /* ctime, which no call can set */
};

/* Returns 1 if the committed version is still in place, 0 if not, -errno if that is unknown. `look` holds the
 * identity that the last call saw (zero: none) and receives the present one; the function reads the content only if
 * they differ. */
HF_MUST_USE int hf_swap_check(const struct hf_swap_params *params, struct hf_swap_identity *look,
                              struct hf_failure *failure);

/* Inspects the target. First undoes an unfinished swap of a lost journal. */
HF_MUST_USE int hf_swap_inspect(const struct hf_swap_params *params, struct hf_swap_inspection *ret_inspection,
                                struct hf_failure *failure);

/* Swaps the new file in. -ESTALE: the target or the new file has changed. After any failure call hf_swap_undo() to
 * reach the old state. */
HF_MUST_USE int hf_swap_run(const struct hf_swap_params *params, struct hf_failure *failure);

/* Restores the old file. -ESTALE with RollbackFailed: the old version is gone and cannot be restored. */
HF_MUST_USE int hf_swap_undo(const struct hf_swap_params *params, struct hf_failure *failure);

/* Removes downloads, unfinished and old files, trees that no link names, and folders made for a target that does not
 * exist. Call it only if the journal says which version is in place. */
HF_MUST_USE int hf_swap_clean(const struct hf_swap_params *params, struct hf_failure *failure);
