/* update/install/tree.h - installs releases of kind Tree: each version is a folder (tree), and a symbolic link names
 * the folder in use.
 *
 *     /opt/app/current -> .holdfast-app.tree/<sha256 of the archive>
 *
 * The caller has verified the hash of the archive, and pack/tar/extract.h extracts it. All files get the owner of the
 * tree in use, or the agent's user if there is no such tree, because the user ids in an archive are those of the build
 * machine.
 *
 * Threads: worker threads only; hf_tree_make() and hf_tree_clean() block. */
#pragma once

#include <stdatomic.h>

#include "update/install/target.h"

/* Extracts the tar archive open as `tar_fd` into the folder named `sha256` below the folder of the release's trees.
 * Afterwards the new folder is complete and durable, or does not exist. */
HF_MUST_USE int hf_tree_make(const struct hf_target_dir *dir, int tar_fd, const char *sha256, const atomic_bool *cancel,
                             struct hf_failure *failure);

/* Formats the text of the symbolic link that selects a tree, and returns the argument `text`. */
const char *hf_tree_link(const char *release, const char *sha256, char text[HF_UPDATE_MAX_PATH]);
/* Extracts the SHA-256 of the selected tree from the text of a symbolic link. Returns false if the link does not name a
 * tree of this release. */
bool hf_tree_link_parse(const char *release, const char *text, char sha256[HF_SHA256_HEX]);

/* Removes all trees of the release except keep_sha256 ("" keeps none). If no tree is left, also removes the folder that
 * held the trees. */
HF_MUST_USE int hf_tree_clean(const struct hf_target_dir *dir, const char *keep_sha256, struct hf_failure *failure);
