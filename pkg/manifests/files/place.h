/* SPDX-License-Identifier: Apache-2.0 */
/* Changes the files of an entry on the node to what a set asks for, in three steps:
 *
 *   compare  what to write and to remove, and whether something forbids it; changes nothing
 *   stage    writes the new files, with owner and mode, into the staging folder `.holdfast-<entry>.new`, and syncs them
 *   swap     records the files of both sets in the inventory, removes superseded files of static pods, renames each new
 *            file to its final path, removes those that the new set lacks (with `prune`), syncs the folders, and
 *            records the files of the new set alone, unless the inventory has exactly these
 *
 * Each file has its old or its new content, never a part of it. After a crash begin again at `compare`; a swap that has
 * begun (inventory->pending) must be followed by a complete one: to the new set, or back to the good one. Threads:
 * workers; blocks. A place owns only what hf_files_place_done() frees. */
#pragma once

#include "manifests/files/closed.h"
#include "manifests/files/want.h"
#include "manifests/rules/diff.h"
#include "manifests/rules/plan.h"
#include "manifests/state/inventory.h"

/* What a swap may do. */
struct hf_files_order {
    bool force;     /* also those that are not the entry's */
    bool prune;     /* those that the set lacks */
    bool prune_all; /* a person has allowed any number */
    bool keep_own;  /* without `prune`: those that the set lacks stay in the inventory */
    bool repair;    /* write only files of the inventory that differ */
    /* what is already right, too, for a `validate` that needs all files */
    bool stage_all;
};

/* What the node lets it write. On the worker; NULL: no bound. */
struct hf_files_bounds {
    /* Bytes to leave free on a file system of disk_bytes; of inodes it is 5 %. */
    uint64_t (*reserve)(void *arg, uint64_t disk_bytes);
    /* False: this entry may not write `path`. NULL also for the way back. */
    bool (*allows)(void *arg, const char *path, struct hf_err *err);
    /* May an item of the inventory be there? A signed version may have placed it. `compare` fails with one that is not
     * allowed. */
    bool (*allows_placed)(void *arg, const struct hf_inventory_item *item);
    void *arg;
};

/* Results of `compare`. */
struct hf_files_found {
    unsigned char *steps; /* by item: enum hf_plan_step */
    size_t n_write, n_prune, n_replace;
    /* own files that somebody else has made as wanted: they have passed no check */
    size_t n_unproven;
    /* as wanted and not in the inventory: become the entry's */
    size_t n_adopt;
    bool renames;                /* the inventory has files of static pods whose names the set lacks */
    struct hf_diff diff;         /* own files that are not as wanted */
    struct hf_strmap superseded; /* paths of files that hold a pod of the set under another name */
    struct hf_closed *closed;    /* as they are now */
};

/* Results of `stage`, until `swap` ends. */
struct hf_files_staged {
    /* on the node: staged folder or, for a single file, staged file; "": none */
    char candidate[HF_FILES_MAX_PATH + 2 * NAME_MAX];
    int stage_fd;          /* staging folder */
    int above_fd;          /* above it */
    struct hf_strmap made; /* folders that stage and swap have made */
};

struct hf_files_place {
    /* set by the caller */
    const struct hf_fs_ops *fs;
    const char *host_root;
    bool guard; /* refuse folders that others may change */
    /* Static pods: stages inside the target's folder (the kubelet ignores dot names); the swap removes a file of the
     * inventory that holds a pod of the set under another name, with or without `prune`. */
    bool pods;
    /* of a Secret: only to a tmpfs or ramfs, new folders with mode 0700, nothing to the state folder */
    bool secret;
    /* No entry may write or remove anything there, by any name (files/closed.h). NULL: all is open. */
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

/* On failure: outcome->r. */
HF_MUST_USE int hf_files_place_compare(struct hf_files_place *place, struct hf_manifest_outcome *outcome);
HF_MUST_USE int hf_files_place_stage(struct hf_files_place *place, struct hf_manifest_outcome *outcome);
HF_MUST_USE int hf_files_place_swap(struct hf_files_place *place, struct hf_manifest_outcome *outcome);

/* The inventory is as after a complete swap to this set; else, unless inventory->pending, none has begun. A file of
 * unknown content is one of the set. */
bool hf_files_place_is_recorded(const struct hf_files_place *place);

/* Removes the staging folder durably; of `place` only fs, host_root, guard, entry. `root`: the target's folder. 0 also
 * if there is none, or no safe path to it. */
HF_MUST_USE int hf_files_place_clean(struct hf_files_place *place, const char *root,
                                     struct hf_manifest_outcome *outcome);
