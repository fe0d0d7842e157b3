/* update/install/tree.h - kind Tree: folders side by side; a symbolic link names the one in use.
 *
 *     /opt/app/current -> .holdfast-app.tree/<sha256 of the archive>
 *
 * pack/tar/extract.h extracts the archive, which may be any tar; the caller has verified its hash. All files get the
 * owner of the tree in use, or the agent's user without one: user ids in an archive are those of the build machine.
 *
 * Threads: worker threads only; all functions with a folder block. */
#pragma once

#include <stdatomic.h>

#include "update/install/target.h"

/* Extracts the tar archive open as `tar_fd` into the folder named `sha256` below the folder of the release's trees.
 * The new folder is complete and durable, or does not exist. */
HF_MUST_USE int hf_tree_make(const struct hf_target_dir *dir, int tar_fd, const char *sha256, const atomic_bool *cancel,
                             struct hf_failure *failure);

/* Formats the text of the link that selects a tree. Returns text. */
const char *hf_tree_link(const char *release, const char *sha256, char text[HF_UPDATE_MAX_PATH]);
/* Parses such a text into its SHA-256. False: not a link to a tree of this release. */
bool hf_tree_link_parse(const char *release, const char *text, char sha256[HF_SHA256_HEX]);

/* Removes all trees of the release except keep_sha256 ("": none), and their folder once it is empty. */
HF_MUST_USE int hf_tree_clean(const struct hf_target_dir *dir, const char *keep_sha256, struct hf_failure *failure);
