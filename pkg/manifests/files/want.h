/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a set asks for. Owns its bundle and strings. Pure; only hf_files_want_make() blocks. */
#pragma once

#include "api/manifest.h"
#include "manifests/files/walk.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/inventory.h"

struct hf_files_item {
    char *path; /* absolute, without links */
    /* Path in the staging folder, a part of `path`: what is below the target's folder, or with hf_files_want_add_at()
     * all except the first '/'. */
    const char *rel;
    uint32_t mode;
    uid_t uid;
    gid_t gid;
    struct hf_view bytes;
    unsigned char sha256[HF_SHA256_BYTES];
};

struct hf_files_want {
    struct hf_bundle *bundle;
    char root[HF_FILES_MAX_PATH]; /* the target's folder, without links */
    bool single;
    struct hf_files_item *items; /* sorted by path */
    size_t n, cap;
    size_t bytes;
};

void hf_files_want_done(struct hf_files_want *want);

/* Adds <root>/<rel> with its hash. -EINVAL: a component begins with ".holdfast-", or the path is too long. */
HF_MUST_USE int hf_files_want_add(struct hf_files_want *want, const char *rel, uint32_t mode, uid_t uid, gid_t gid,
                                  struct hf_view bytes, struct hf_err *err);
HF_MUST_USE int hf_files_want_add_at(struct hf_files_want *want, const struct hf_inventory_item *item,
                                     struct hf_view bytes, struct hf_err *err);
/* Returns the file at `path`, or NULL. Call hf_files_want_sort() before. */
const struct hf_files_item *hf_files_want_find(const struct hf_files_want *want, const char *path);
HF_MUST_USE int hf_files_want_sort(struct hf_files_want *want, struct hf_err *err);

/* Makes the files of a set whose target is Files or StaticPods. Takes over `bundle` (variables replaced), also on
 * failure. `pod_folder`: the kubelet's folder. `known_root`: the target's folder as found before; "": resolve it now.
 * Returns outcome->r. */
HF_MUST_USE int hf_files_want_make(const struct hf_fs_ops *fs, const char *host_root, const struct hf_manifest *entry,
                                   const char *pod_folder, const char *known_root, struct hf_bundle *bundle,
                                   struct hf_files_want *ret_want, struct hf_manifest_outcome *outcome);
