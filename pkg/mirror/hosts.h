/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the files that make containerd ask the mirror: a hosts.toml per registry below containerd's config_path.
 *
 * A file is ours if it begins with our mark. A power cut leaves whole files or none, and perhaps folders of ours, which
 * the next call removes. Blocks. Threads: any. */
#pragma once

#include <limits.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"

#define HF_MIRROR_HOSTS_MARK "# Of holdfast-agent, which removes this file. Without this line the file is yours.\n"

struct hf_mirror_hosts_place {
    const char *config, *folder;
};
extern const struct hf_mirror_hosts_place hf_mirror_hosts_places[]; /* ends with NULL */

/* Returns containerd's name of a policy's registry: without http://. Points into `registry`. */
const char *hf_mirror_hosts_name(const char *registry);

struct hf_mirror_hosts_done {
    unsigned changed;
    unsigned foreign;     /* registries left alone, which somebody else configured */
    char first[PATH_MAX]; /* path of the first file or folder that is not ours */
};

/* Writes a file for each registry into the folder of `place`: our mark, then `text`. Removes our other files, there and
 * in all other places; `place` NULL: everywhere. Leaves a registry alone if somebody else has a folder for it or, where
 * we have none, a folder "_default". `root` is put before all paths. After a failure the other places are still
 * settled. */
HF_MUST_USE int hf_mirror_hosts_settle(const struct hf_fs_ops *fs, const char *root,
                                       const struct hf_mirror_hosts_place *place, const char *const *registries,
                                       struct hf_view text, struct hf_mirror_hosts_done *ret_done, struct hf_err *err);
