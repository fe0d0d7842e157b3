/* update/install/swap.h - one name, two whole files: looking at what is installed, putting the new in place, putting the old back,
 * leaving nothing behind.
 *
 *     in place:  link(target, .old); fsync folder; rename(.new, target); fsync folder
 *     back:      rename(.old, target); fsync folder             (a first install: unlink)
 * The folder's sync between link and rename is what keeps the order on the medium: without it a power cut may keep the new name
 * and lose the backup. Kind Tree: the target is a symbolic link, replaced by renaming another over it; the old text is in the
 * journal. Each of these may be cut anywhere and run again. Blocks: worker threads only. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "update/install/target.h"

struct hf_swap_params {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *sha256; /* of the new file or archive */
    bool had_old;
    const char *old_sha256;  /* kind File, with an old one */
    const char *old_link;    /* kind Tree, with an old one */
    const char *made_folder; /* see hf_target_remove_folders(); "" none */
    bool probed;             /* the new version is, or was, in place */
    bool recheck;            /* the new file was checked in an earlier life: look again before it is used */
    const atomic_bool *cancel;
};

/* What is there before an update. */
struct hf_swap_inspection {
    bool exists;
    char sha256[HF_SHA256_HEX];       /* kind File; kind Tree: of the tree in use when it is one of ours, else "" */
    char link[HF_UPDATE_MAX_PATH];    /* kind Tree */
    char missing[HF_UPDATE_MAX_PATH]; /* topmost folder on the way that is not there; "" none */
    uint64_t available_bytes, total_bytes;
    uint64_t staged_bytes;           /* what of an earlier attempt lies there already */
    char step_sha256[HF_SHA256_HEX]; /* of the file between that an earlier attempt made; "" none */
    uint64_t step_bytes;
};

/* A file's identity without its content: a change that leaves no trace here is no accident. */
struct hf_swap_identity {
    uint64_t device, inode, size;
    int64_t changed_s, changed_ns; /* ctime: nobody can set it */
};

/* Is what was committed still there? `look` is what an earlier one saw (zero: none) and becomes what this one saw: the content is
 * read only when that differs. 1 yes, 0 no, -errno: it cannot be judged. */
HF_MUST_USE int hf_swap_check(const struct hf_swap_params *params, struct hf_swap_identity *look,
                              struct hf_failure *failure);

/* An unfinished swap that no journal knows of (its file was lost) is taken back first. */
HF_MUST_USE int hf_swap_inspect(const struct hf_swap_params *params, struct hf_swap_inspection *ret_inspection,
                                struct hf_failure *failure);

/* -ESTALE: the target or the new file is not what it was. On any failure hf_swap_undo() makes the old state certain. */
HF_MUST_USE int hf_swap_run(const struct hf_swap_params *params, struct hf_failure *failure);

/* -ESTALE with RollbackFailed: the old version is gone, nothing can bring it back. */
HF_MUST_USE int hf_swap_undo(const struct hf_swap_params *params, struct hf_failure *failure);

/* Remove downloads, unfinished and old files, trees that no link names, and folders made for a target that is not there. Only
 * where the target's state is certain. */
HF_MUST_USE int hf_swap_clean(const struct hf_swap_params *params, struct hf_failure *failure);
