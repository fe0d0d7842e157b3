/* SPDX-License-Identifier: Apache-2.0 */
/* Finds files of an entry that somebody has changed or removed. Compares size, mode and owner with the inventory, inode
 * and times with the look before, and reads a file of that size if inode or times differ. Of a secret file without a
 * hash, compares only mode and owner. */
#pragma once

#include <stdbool.h>

#include "manifests/rules/diff.h"
#include "manifests/state/inventory.h"

struct hf_files_look {
    const struct hf_fs_ops *fs;
    const char *host_root;
    struct hf_inventory *inventory; /* the entry's; a look updates `seen` of its items */
    /* Wall clock. What changed less than 2 s before is read again next time, because its times might hide another
     * change. */
    uint64_t now_unix_ns;
    /* also read what others may write: a change through a mapping shows in no attribute */
    bool full;
    struct hf_diff diff;
    size_t n_read;
    size_t n_unreadable;
};

/* Returns 0 also if files are missing, replaced, or unreadable with -EIO: all count in `diff`. -errno: a file cannot be
 * looked at. */
HF_MUST_USE int hf_files_look_for_drift(struct hf_files_look *look, struct hf_err *err);
