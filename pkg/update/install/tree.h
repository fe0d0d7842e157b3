/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/tree.h - installs releases of kind Tree. Each version is a folder with its content (a tree), and a
 * symbolic link at install.path names the folder in use.
 *
 *     /opt/app/current -> .holdfast-app.tree/<sha256 of the archive>
 *
 * The caller verifies the hash of the archive, and pack/tar/extract.h extracts the archive. The owners in an archive
 * are users of the build machine, so the files do not get these owners. They get the owner of the tree in use or, if no
 * tree is in use, the agent's user and group. The manifest of the tree (update/install/manifest.h) is made from the
 * bytes that the extractor wrote.
 *
 * Before the agent uses an existing folder again, it compares the content of the folder with the manifest. A repair
 * makes a new folder, which gets the name <sha256>.again if the link names the damaged folder <sha256>.
 *
 * Threads: worker threads only; hf_tree_make(), hf_tree_verify() and hf_tree_clean() block. */
#pragma once

#include <stdatomic.h>

#include "steps/target.h"
#include "update/install/manifest.h"

/* Formats the name of the folder for a new tree: <sha256>, the hash of the archive, or <sha256>.again if the present
 * link already names the folder <sha256>. `old_link` is the text of the present link, or "" if there is no link.
 * Returns the argument `folder`. */
const char *hf_tree_folder(const char *release, const char *sha256, const char *old_link,
                           char folder[HF_INSTALL_MANIFEST_VERSION]);

/* Extracts the tar archive open as `tar_fd` into a new folder with the name `folder`, inside the folder of the
 * release's trees. Replaces an existing folder of this name. Writes the tree's manifest into the folder `records` (NULL
 * to write no manifest). When the function returns, or after a crash, the new folder is complete and durable, or does
 * not exist. -ESTALE: the link at the target names `folder`. */
HF_MUST_USE int hf_tree_make(const struct hf_target_dir *dir, int tar_fd, const char *folder, const char *records,
                             const atomic_bool *cancel, struct hf_failure *failure);

/* Checks the tree to which `link` leads. Compares the tree with its manifest in the folder `records`, as
 * hf_install_manifest_check() does. If there is no usable manifest, for example because the state folder was lost, the
 * function computes the canonical archive of the tree. If the SHA-256 of this archive is the SHA-256 in the name of the
 * tree's folder, the tree is right, and the function writes a new manifest. If `records` is NULL, the function checks
 * only that the folder of the tree exists. Returns 1 if the tree is right, and 0 if not (with the difference in
 * look->what). -errno means that the check could not be completed. */
HF_MUST_USE int hf_tree_verify(const struct hf_target_dir *dir, const char *link, const char *records, bool full,
                               struct hf_install_manifest_look *look, const atomic_bool *cancel,
                               struct hf_failure *failure);

/* Formats the text of the symbolic link that selects a tree, and returns the argument `text`. */
const char *hf_tree_link(const char *release, const char *folder, char text[HF_TARGET_MAX_PATH]);
/* Extracts the SHA-256 of the selected tree from the text of a symbolic link. Returns false if the link does not name a
 * tree of this release. */
bool hf_tree_link_parse(const char *release, const char *text, char sha256[HF_SHA256_HEX]);
/* Returns the name of the tree's folder, which is the end of `text`. Returns "" if the link names no tree of this
 * release. */
const char *hf_tree_link_folder(const char *release, const char *text);

/* Removes all trees of the release except the tree in the folder `keep_folder` ("" keeps none). If no tree is left,
 * also removes the folder that contained the trees. */
HF_MUST_USE int hf_tree_clean(const struct hf_target_dir *dir, const char *keep_folder, struct hf_failure *failure);
