/* SPDX-License-Identifier: Apache-2.0 */
/* Changes the files of an entry to what a set asks for, in three steps:
 *
 *   compare  decide what to write and to remove; changes nothing
 *   stage    write the new files into the staging folder `.holdfast-<entry>.new`, and sync them
 *   swap     record the files of both sets in the inventory, rename each new file to its path, remove others (with
 *            `prune`), sync the folders, record the new set alone
 *
 * Each file is old or new, never a part. After a crash begin at `compare`; a swap that has begun (inventory->pending)
 * needs a complete one: to the new set, or back to the good one. */
#pragma once

#include "manifests/files/closed.h"
#include "manifests/files/want.h"
#include "manifests/rules/diff.h"
#include "manifests/rules/plan.h"
#include "manifests/state/inventory.h"

struct hf_files_order {
    bool force;     /* replace files that are not the entry's */
    bool prune;     /* remove files that the set lacks */
    bool prune_all; /* `prune` any number: a person has allowed it */
    bool keep_own;  /* without `prune`: these stay in the inventory */
    bool repair;    /* write only files of the inventory that differ */
    /* stage unchanged files, too: `validate` needs all */
    bool stage_all;
};

/* Bounds of the node, called on the worker; NULL: no bound. */
struct hf_files_bounds {
    /* Bytes to leave free on a file system of disk_bytes; of inodes 5 %. */
    uint64_t (*reserve)(void *arg, uint64_t disk_bytes);
    /* May the entry write `path`? NULL also for the way back. */
    bool (*allows)(void *arg, const char *path, struct hf_err *err);
    /* May an item of the inventory be there? A signed version may have placed it. If not, `compare` fails. */
    bool (*allows_placed)(void *arg, const struct hf_inventory_item *item);
    void *arg;
};

/* What `compare` has found. */
struct hf_files_found {
    unsigned char *steps; /* by item: enum hf_plan_step */
    size_t n_write, n_prune, n_replace;
    /* own files that somebody else has made as wanted: not checked */
    size_t n_unproven;
    /* files as wanted that are not the entry's yet */
    size_t n_adopt;
    bool renames;                /* the inventory has files of static pods under names that the set lacks */
    struct hf_diff diff;         /* own files that are not as wanted */
    struct hf_strmap superseded; /* files that hold a pod of the set under another name */
    struct hf_closed *closed;
};

/* What `stage` has made, until `swap` ends. */
struct hf_files_staged {
    /* on the node: staged folder or single file */
    char candidate[HF_FILES_MAX_PATH + 2 * NAME_MAX];
    int stage_fd;
    int above_fd;          /* its parent */
    struct hf_strmap made; /* folders made on the way */
};

struct hf_files_place {
    /* set by the caller */
    const struct hf_fs_ops *fs;
    const char *host_root;
    bool guard; /* refuse folders that others may change */
    /* Static pods: stage in the target's folder (the kubelet ignores dot names), and remove own files that hold a pod
     * of the set under another name, even without `prune`. */
    bool pods;
    /* a Secret: only to a tmpfs or ramfs, folders with mode 0700, nothing to the state folder */
    bool secret;
    /* Nothing in these may change, by any name (files/closed.h). NULL: all is open. */
    const char *const *closed_folders;
    const char *entry;
    const char *folder; /* <state>/manifests/<entry> */
    const struct hf_files_want *want;
    struct hf_inventory *inventory; /* the entry's; changed by the swap */
    struct hf_files_order order;
    struct hf_files_bounds bounds;

    struct hf_files_found found;
    struct hf_files_staged staged;
};

void hf_files_place_init(struct hf_files_place *place);
/* Leaves the staging folder on disk. */
void hf_files_place_done(struct hf_files_place *place);

/* On failure they return outcome->r. */
HF_MUST_USE int hf_files_place_compare(struct hf_files_place *place, struct hf_manifest_outcome *outcome);
HF_MUST_USE int hf_files_place_stage(struct hf_files_place *place, struct hf_manifest_outcome *outcome);
HF_MUST_USE int hf_files_place_swap(struct hf_files_place *place, struct hf_manifest_outcome *outcome);

/* True: the inventory is as after a complete swap to this set. False: no swap to it has begun, unless
 * inventory->pending. Files of unknown content count as the set's. */
bool hf_files_place_is_recorded(const struct hf_files_place *place);

/* Removes the staging folder durably; reads fs, host_root, guard and entry. `root`: the target's folder. 0 also if
 * there is none, or no safe path to it. */
HF_MUST_USE int hf_files_place_clean(struct hf_files_place *place, const char *root,
                                     struct hf_manifest_outcome *outcome);
