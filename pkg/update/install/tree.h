/* update/install/tree.h - kind Tree: folders side by side, of which a symbolic link names the one in use.
 *
 *     /opt/app/current -> .holdfast-app.tree/<sha256 of the archive>
 *
 * pack/tar/extract.h extracts the archive, which may be any tar; it comes after the check of the archive's hash.
 * Everything gets the owner of the tree in use, or the agent's user if there is none: the owners in an archive are
 * those of the machine that built it, and here may be anybody. Blocks: worker threads only. */
#pragma once

#include <stdatomic.h>

#include "update/install/target.h"

/* Extract the tar open as `tar_fd` into the release's tree folder as `sha256`, durable and complete or not at all. */
HF_MUST_USE int hf_tree_make(const struct hf_target_dir *dir, int tar_fd, const char *sha256, const atomic_bool *cancel,
                             struct hf_failure *failure);

/* The text of the link that selects a tree. Returns text. */
const char *hf_tree_link(const char *release, const char *sha256, char text[HF_UPDATE_MAX_PATH]);
/* The SHA-256 in such a text, when it is one of ours: false otherwise. */
bool hf_tree_link_parse(const char *release, const char *text, char sha256[HF_SHA256_HEX]);

/* Remove all trees of the release but the one that is named ("" none); the folder too when nothing is left. */
HF_MUST_USE int hf_tree_clean(const struct hf_target_dir *dir, const char *keep_sha256, struct hf_failure *failure);
