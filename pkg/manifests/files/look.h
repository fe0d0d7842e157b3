/* SPDX-License-Identifier: Apache-2.0 */
/* Finds files of an entry that somebody has changed or removed. Compares size, mode and owner with the inventory, inode
 * and times with the look before; reads a file if inode or times differ. Of a secret file without a hash only mode and
 * owner. */
#pragma once

#include <stdbool.h>

#include "manifests/rules/diff.h"
#include "manifests/state/inventory.h"

struct hf_files_look {
    const struct hf_fs_ops *fs;
    const char *host_root;
    struct hf_inventory *inventory; /* the entry's; updates `seen` */
    /* Wall clock. The next look reads again what changed less than 2 s before: times might hide another change. */
    uint64_t now_unix_ns;
    /* also read what others may write: a change through a mapping shows in no attribute */
    bool full;
    /* results */
    struct hf_diff diff;
    size_t n_read;       /* files */
    size_t n_unreadable; /* files that the disk did not read */
};

/* Drift includes missing and replaced files. -errno: something cannot be read for another cause. */
HF_MUST_USE int hf_files_look_for_drift(struct hf_files_look *look, struct hf_err *err);
