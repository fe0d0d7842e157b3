/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/want.h - the list of files that a set asks for, each with its path, mode, owner and content. Pure,
 * except that hf_files_want_make() resolves the target's path on disk and blocks. Threads: any, but only one at a time
 * for one list. Memory: a struct hf_files_want owns its bundle and its strings. */
#pragma once

#include "api/manifest.h"
#include "manifests/files/walk.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/inventory.h"

struct hf_files_item {
    char *path; /* absolute path on the node, without links */
    /* path of the staged file in the staging folder: the part of `path` below the target's folder or, for an item of
     * hf_files_want_add_at(), all of `path` without the first '/'; points into `path` */
    const char *rel;
    uint32_t mode;
    uid_t uid;
    gid_t gid;
    struct hf_view bytes; /* points into the bundle */
    unsigned char sha256[HF_SHA256_BYTES];
};

struct hf_files_want {
    struct hf_bundle *bundle;
    char root[HF_FILES_MAX_PATH]; /* the target's folder, without links */
    bool single;                  /* true if the target is a single file in the folder `root` */
    struct hf_files_item *items;  /* sorted by path */
    size_t n, cap;
    size_t bytes; /* size of all contents together, in bytes */
};

void hf_files_want_done(struct hf_files_want *want);

/* Adds the file <root>/<rel>, and computes its hash. -EINVAL: `rel` has a component that begins with ".holdfast-", or
 * the path is too long. */
HF_MUST_USE int hf_files_want_add(struct hf_files_want *want, const char *rel, uint32_t mode, uid_t uid, gid_t gid,
                                  struct hf_view bytes, struct hf_err *err);
/* Adds a file with the absolute path, mode and owner of the item. */
HF_MUST_USE int hf_files_want_add_at(struct hf_files_want *want, const struct hf_inventory_item *item,
                                     struct hf_view bytes, struct hf_err *err);
/* Returns the item with this absolute path, or NULL. The items must be sorted. */
const struct hf_files_item *hf_files_want_find(const struct hf_files_want *want, const char *path);
/* Sorts the items by path. -EEXIST: two items have the same path. */
HF_MUST_USE int hf_files_want_sort(struct hf_files_want *want, struct hf_err *err);

/* Makes the list for a set whose target is Files or StaticPods. Owns `bundle`, also on failure; its variables must be
 * replaced already. `pod_folder`: the kubelet's folder of static pods. `known_root`: the target's folder as an earlier
 * call found it, or "" to resolve it now. On failure, fills *outcome and returns outcome->r, which is negative. */
HF_MUST_USE int hf_files_want_make(const struct hf_fs_ops *fs, const char *host_root, const struct hf_manifest *entry,
                                   const char *pod_folder, const char *known_root, struct hf_bundle *bundle,
                                   struct hf_files_want *ret_want, struct hf_manifest_outcome *outcome);
