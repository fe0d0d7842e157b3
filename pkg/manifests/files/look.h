/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for an entry's files that somebody has changed or removed: compares size, mode and owner with the inventory,
 * inode and times with the look before; reads a file if these differ, or in a full look if others may write it. Of a
 * secret file without a hash only mode and owner. Threads: workers; blocks. */
#pragma once

#include <stdbool.h>

#include "manifests/rules/diff.h"
#include "manifests/state/inventory.h"

struct hf_files_look {
    const struct hf_fs_ops *fs;
    const char *host_root;
    struct hf_inventory *inventory; /* the entry's; updates `seen` */
    /* Wall clock at the start. What changed less than 2 s before is read again next time: another change in the same
     * tick would not show in its times. */
    uint64_t now_unix_ns;
    /* read what others may write, too: who has mapped a file need not change its attributes */
    bool full;
    /* results */
    struct hf_diff diff;
    size_t n_read;       /* files read */
    size_t n_unreadable; /* files that the disk did not read: changed */
};

/* Fills look->diff, also with missing and replaced files. -errno: a folder or file cannot be read for another cause. */
HF_MUST_USE int hf_files_look_for_drift(struct hf_files_look *look, struct hf_err *err);
