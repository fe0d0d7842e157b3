/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/place.h - changes the files of an entry on the node to what a set asks for, in three steps:
 *
 *   compare  finds out what to write and what to remove, and whether something forbids this; changes nothing
 *   stage    writes the new files, with owner and mode, into the staging folder `.holdfast-<entry>.new`, and syncs them
 *   swap     records the files of both sets in the inventory, removes superseded files of static pods, renames each new
 *            file to its final path, removes those that the new set lacks (with `prune`), syncs the folders, and
 *            records the files of the new set alone. An inventory that has exactly these already is not written
 *
 * Each file has its old or its new content, never a part of it. After a crash the caller begins again at `compare`. If
 * a swap has begun (inventory->pending), the caller must complete one: to the new set, or back to the good one.
 * Threads: workers; all functions block. Memory: a place owns only what hf_files_place_done() frees. */
#pragma once

#include "manifests/files/closed.h"
#include "manifests/files/want.h"
#include "manifests/rules/diff.h"
#include "manifests/rules/plan.h"
#include "manifests/state/inventory.h"

/* What a swap may do. */
struct hf_files_order {
    bool force;     /* replace files that do not belong to the entry */
    bool prune;     /* remove files that are in the inventory and not in the set */
    bool prune_all; /* with `prune`: a person has allowed to remove any number of files */
    bool keep_own;  /* without `prune`: files that are in the inventory and not in the set stay in the inventory */
    bool repair;    /* of drift: write files of the inventory that differ, and nothing else */
    /* also stage files that are already right, for a `validate` command that needs all files of the set */
    bool stage_all;
};

/* What the node lets it do. Called on the worker; NULL: no bound. */
struct hf_files_bounds {
    /* Returns how many bytes to leave free on a file system of disk_bytes; 5 % of its inodes stay free, too. */
    uint64_t (*reserve)(void *arg, uint64_t disk_bytes);
    /* Returns false, with *err, if the node does not let this entry write `path`. NULL also for the way back to what
     * was in place before. */
    bool (*allows)(void *arg, const char *path, struct hf_err *err);
    /* The same for a file of the inventory, which a signed version of the entry may have placed: `compare` fails with
     * one that is not allowed. */
    bool (*allows_placed)(void *arg, const struct hf_inventory_item *item);
    void *arg;
};

/* Results of `compare`. */
struct hf_files_found {
    unsigned char *steps; /* enum hf_plan_step for each item */
    size_t n_write, n_prune, n_replace;
    /* number of the entry's own files that somebody else has made as the set wants them: they have passed no check */
    size_t n_unproven;
    /* number of files that are as wanted and are not in the inventory; they become the entry's own */
    size_t n_adopt;
    bool renames;                /* the inventory has files of static pods whose names the set lacks */
    struct hf_diff diff;         /* files of the entry that are not as the set wants them */
    struct hf_strmap superseded; /* paths of files that hold a pod of the set under another name */
    struct hf_closed *closed;    /* the closed folders as they are now */
};

/* Results of `stage`, until `swap` ends. */
struct hf_files_staged {
    /* path on the node of the staged folder or, for a single file, of the staged file; "" if nothing is staged */
    char candidate[HF_FILES_MAX_PATH + 2 * NAME_MAX];
    int stage_fd;          /* the staging folder */
    int above_fd;          /* the folder that contains the staging folder */
    struct hf_strmap made; /* the folders that stage and swap have made */
};

struct hf_files_place {
    /* set by the caller */
    const struct hf_fs_ops *fs;
    const char *host_root;
    bool guard; /* refuse folders that another user may change */
    /* Static pods: the staging folder is inside the target's folder (the kubelet ignores names that begin with a dot),
     * and a file of the inventory that holds a pod of the set under another name is superseded: the swap removes it,
     * with or without `prune`. */
    bool pods;
    /* content of a Secret: only to a tmpfs or ramfs, missing folders with mode 0700, nothing to the state folder */
    bool secret;
    /* Where no entry may write or remove anything, by any name (manifests/files/closed.h). NULL: everywhere is open. */
    const char *const *closed_folders;
    const char *entry;  /* name of the entry */
    const char *folder; /* <state>/manifests/<entry> */
    const struct hf_files_want *want;
    struct hf_inventory *inventory; /* files and folders that belong to the entry; the swap changes it */
    struct hf_files_order order;
    struct hf_files_bounds bounds;

    struct hf_files_found found;
    struct hf_files_staged staged;
};

void hf_files_place_init(struct hf_files_place *place);
/* Closes the folders and frees what the place owns. Leaves the staging folder on disk. */
void hf_files_place_done(struct hf_files_place *place);

/* The three steps. Each returns 0, or fills *outcome and returns outcome->r, which is negative. */
HF_MUST_USE int hf_files_place_compare(struct hf_files_place *place, struct hf_manifest_outcome *outcome);
HF_MUST_USE int hf_files_place_stage(struct hf_files_place *place, struct hf_manifest_outcome *outcome);
HF_MUST_USE int hf_files_place_swap(struct hf_files_place *place, struct hf_manifest_outcome *outcome);

/* Returns true if the inventory is as a complete swap to this set leaves it. Otherwise, unless inventory->pending, no
 * such swap has begun. A file whose content the inventory does not know counts as one of the set. */
bool hf_files_place_is_recorded(const struct hf_files_place *place);

/* Removes the staging folder durably. Uses only the fields fs, host_root, guard and entry of `place`. `root` is the
 * target's folder. Returns 0 also if there is no staging folder, or if no safe path leads to it. */
HF_MUST_USE int hf_files_place_clean(struct hf_files_place *place, const char *root,
                                     struct hf_manifest_outcome *outcome);
