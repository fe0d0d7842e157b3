/* SPDX-License-Identifier: Apache-2.0 */
/* Files by which containerd asks the mirror: a hosts.toml per registry below its config_path.
 *
 * A file is ours by its first line. A power cut leaves whole files or none, and folders of ours that the next call
 * removes. Blocks. Threads: any. */
#pragma once

#include <limits.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"

#define HF_MIRROR_HOSTS_MARK "# Of holdfast-agent, which removes this file. Without this line the file is yours.\n"

/* Places of our files. `config`: containerd's own configuration. */
struct hf_mirror_hosts_place {
    const char *config, *folder;
};
extern const struct hf_mirror_hosts_place hf_mirror_hosts_places[]; /* ends with NULL */

/* containerd's name of a policy's registry: without http://. Points into `registry`. */
const char *hf_mirror_hosts_name(const char *registry);

struct hf_mirror_hosts_done {
    unsigned changed;     /* written or removed */
    unsigned foreign;     /* registries left alone */
    char first[PATH_MAX]; /* the path that kept us from the first one */
};

/* In `place`'s folder, each registry gets `text` behind the mark; our files for others, there and in other places, go.
 * A registry for which another's folder is there, or "_default" holds, is left alone. `place` NULL: all of ours go.
 * `root`: before all paths. A failure ends its place, not the others. */
HF_MUST_USE int hf_mirror_hosts_settle(const struct hf_fs_ops *fs, const char *root,
                                       const struct hf_mirror_hosts_place *place, const char *const *registries,
                                       struct hf_view text, struct hf_mirror_hosts_done *ret_done, struct hf_err *err);
