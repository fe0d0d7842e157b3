/* SPDX-License-Identifier: Apache-2.0 */
/* Changes the files of an entry to what a set asks for, in three steps:
 *
 *   compare  decides what to write and to remove
 *   stage    writes the new files into the staging folder `.holdfast-<entry>.new`, and syncs them
 *   swap     records the files of both sets in the inventory, renames each new file to its path, removes files that the
 *            set lacks (with `prune`), syncs, and records the new set alone
 *
 * Each file is old or new, never a part. After a crash begin at `compare`. After an interrupted swap
 * (inventory->pending) a complete one must follow: to the new set, or back to the good one. */
#pragma once

#include "manifests/files/closed.h"
#include "manifests/files/want.h"
#include "manifests/rules/diff.h"
#include "manifests/rules/plan.h"
#include "manifests/state/inventory.h"

struct hf_files_order {
    bool force;
    bool prune;
    bool prune_all; /* `prune` may remove any number: a person has allowed it */
    bool keep_own;  /* without `prune`: files that the set lacks stay in the inventory */
    bool repair;    /* write only files of the inventory that differ, and renamed pods */
    /* stage unchanged files, too, for `validate` */
    bool stage_all;
};

/* Bounds of the node, called on the worker. NULL: no bound. */
struct hf_files_bounds {
    /* Returns the bytes to leave free on a file system of disk_bytes. */
    uint64_t (*reserve)(void *arg, uint64_t disk_bytes);
    /* Whether the entry may write `path`. NULL for a rollback: the files were there before. */
    bool (*allows)(void *arg, const char *path, struct hf_err *err);
    /* Whether the entry may change an item of the inventory, which a signed version may have placed. If not, `compare`
     * fails. */
    bool (*allows_placed)(void *arg, const struct hf_inventory_item *item);
    void *arg;
};

struct hf_files_found {
    unsigned char *steps;
    size_t n_write, n_prune, n_replace;
    /* the entry's files that somebody else has changed to what the set wants: no check has passed */
    size_t n_unproven;
    /* files as wanted that are not the entry's yet */
    size_t n_adopt;
    bool renames; /* the inventory has files of the pod folder that the set lacks */
    struct hf_diff diff;
    struct hf_strmap superseded; /* files that hold a pod of the set under another name */
    struct hf_closed *closed;
};

struct hf_files_staged {
    /* path on the node of the staging folder, or of the only staged file */
    char candidate[HF_FILES_MAX_PATH + 2 * NAME_MAX];
    int stage_fd;
    int above_fd;
    struct hf_strmap made;
};

struct hf_files_place {
    const struct hf_fs_ops *fs;
    const char *host_root;
    bool guard; /* as in files/walk.h */
    /* Static pods: they are staged in the target's folder (the kubelet ignores dot names). The entry's files that hold
     * a pod of the set under another name are removed, even without `prune`. */
    bool pods;
    /* A Secret: it goes only to a tmpfs or ramfs, new folders have mode 0700, and the state folder gets no content. */
    bool secret;
    /* Nothing in these folders may change, by any name (files/closed.h). */
    const char *const *closed_folders;
    const char *entry;
    const char *folder; /* <state>/manifests/<entry> */
    const struct hf_files_want *want;
    struct hf_inventory *inventory;
    struct hf_files_order order;
    struct hf_files_bounds bounds;

    struct hf_files_found found;
    struct hf_files_staged staged;
};

void hf_files_place_init(struct hf_files_place *place);
/* Leaves the staging folder on disk. */
void hf_files_place_done(struct hf_files_place *place);

HF_MUST_USE int hf_files_place_compare(struct hf_files_place *place, struct hf_manifest_outcome *outcome);
HF_MUST_USE int hf_files_place_stage(struct hf_files_place *place, struct hf_manifest_outcome *outcome);
HF_MUST_USE int hf_files_place_swap(struct hf_files_place *place, struct hf_manifest_outcome *outcome);

/* Whether the inventory has exactly the files of this set, as after a complete swap. A file of unknown content counts
 * as the set's. */
bool hf_files_place_is_recorded(const struct hf_files_place *place);

/* Removes the staging folder durably; needs only fs, host_root, guard and entry. `root`: the target's folder. Returns 0
 * also if there is none, or no safe path to it. */
HF_MUST_USE int hf_files_place_clean(struct hf_files_place *place, const char *root,
                                     struct hf_manifest_outcome *outcome);
