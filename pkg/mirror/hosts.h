/* SPDX-License-Identifier: Apache-2.0 */
/* The files by which this node's containerd asks the mirror: hosts.toml in a folder for each registry below its
 * config_path. containerd reads them at each pull. K3s and RKE2 leave files there that they have not written, so that
 * their registries.yaml and a restart are not needed.
 *
 * A file is ours by its first line. A power cut at any time leaves whole files or none, and folders of ours that the
 * next call removes. Blocks. Threads: any. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"

#define HF_MIRROR_HOSTS_MARK "# Of holdfast-agent, which removes this file. Without this line the file is yours.\n"

/* Where files of ours can be. `config` is the containerd's own configuration. */
struct hf_mirror_hosts_place {
    const char *config, *folder;
};
extern const struct hf_mirror_hosts_place hf_mirror_hosts_places[]; /* ends with NULL */

/* The name by which containerd knows the registry of a policy: without http:// before it. Inside `registry`. */
const char *hf_mirror_hosts_name(const char *registry);

struct hf_mirror_hosts_done {
    unsigned changed;     /* files written or removed */
    unsigned foreign;     /* registries left alone */
    char first[PATH_MAX]; /* of them: what of others is there */
};

/* In the folder of `place`, each registry gets `text` behind the mark; files of ours for others, there and in other
 * places, go. A registry for which somebody else has a folder, or for whom "_default" holds, is left alone. `place`
 * NULL: all of ours go. `root` is before all paths. Goes on after a failure. */
HF_MUST_USE int hf_mirror_hosts_settle(const struct hf_fs_ops *fs, const char *root,
                                       const struct hf_mirror_hosts_place *place, const char *const *registries,
                                       struct hf_view text, struct hf_mirror_hosts_done *ret_done, struct hf_err *err);
