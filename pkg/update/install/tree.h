/* SPDX-License-Identifier: Apache-2.0 */
/* Releases of kind Tree: each version is a folder, and a symbolic link at install.path names the one in use.
 *
 *   /opt/app/current -> .holdfast-app.tree/<sha256 of the archive>
 *
 * The caller verifies the archive. Files get the owner of the tree in use, else that of the new folder. Workers
 * only; functions with `dir` block. */
#pragma once

#include <stdatomic.h>

#include "steps/target.h"
#include "update/install/manifest.h"

/* Returns the folder of a version: <sha256>, or <sha256>.again if `old_link` already names that (a repair). */
const char *hf_tree_folder(const char *release, const char *sha256, const char *old_link,
                           char folder[HF_INSTALL_MANIFEST_VERSION]);

/* Extracts `tar_fd` into `folder`, replacing an existing folder, with its manifest in `records` (NULL: none). Durable;
 * after a crash call it again. -ESTALE: e.g. the target's link names the folder. */
HF_MUST_USE int hf_tree_make(const struct hf_target_dir *dir, int tar_fd, const char *folder, const char *records,
                             const atomic_bool *cancel, struct hf_failure *failure);

HF_MUST_USE int hf_tree_sync(const struct hf_target_dir *dir, struct hf_failure *failure);

/* Checks the tree that `link` names by hf_install_manifest_check(). 1: right; 0: look->what differs; -errno: not
 * completed. Without a usable manifest, compares the canonical archive's SHA-256 with the folder's name, and writes a
 * manifest if they agree (not with HF_INSTALL_CHECK_LOOK). `records` NULL: checks only that the tree exists. */
HF_MUST_USE int hf_tree_verify(const struct hf_target_dir *dir, const char *link, const char *records,
                               enum hf_install_check how, struct hf_install_manifest_look *look,
                               const atomic_bool *cancel, struct hf_failure *failure);

const char *hf_tree_link(const char *release, const char *folder, char text[HF_TARGET_MAX_PATH]);
/* False: `text` is no link to a tree of this release. */
bool hf_tree_link_parse(const char *release, const char *text, char sha256[HF_SHA256_HEX]);
/* Returns the folder at the end of `text`; "": no tree of this release. */
const char *hf_tree_link_folder(const char *release, const char *text);

/* Removes all trees except `keep`; if none is left, also their common folder. */
HF_MUST_USE int hf_tree_clean(const struct hf_target_dir *dir, const char *const *keep, size_t n,
                              struct hf_failure *failure);
