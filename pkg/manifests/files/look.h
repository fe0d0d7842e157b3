/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/look.h - looks for drift: files of an entry that somebody has changed or removed. A look compares
 * size, mode and owner with the inventory, and inode and times with those of the previous look. It reads a file only if
 * these differ, or if a full look finds that others may write it. Of a secret file without a hash it compares only mode
 * and owner. Threads: workers; the function blocks. */
#pragma once

#include <stdbool.h>

#include "manifests/rules/diff.h"
#include "manifests/state/inventory.h"

struct hf_files_look {
    const struct hf_fs_ops *fs;
    const char *host_root;
    struct hf_inventory *inventory; /* files of the entry; the function updates `seen` of each item */
    /* Wall-clock time at the start. The next look reads a file again that changed less than 2 s before: another change
     * in the same clock tick would not show in its times. */
    uint64_t now_unix_ns;
    /* also read each file that somebody else may write, and may have mapped: its attributes need not change */
    bool full;
    /* results */
    struct hf_diff diff;
    size_t n_read;       /* number of files that the look has read */
    size_t n_unreadable; /* number of files that the disk did not read; they count as changed */
};

/* Returns 0 with the drift in look->diff; missing and replaced files count as drift. Returns -errno if a folder or a
 * file cannot be read for another cause. */
HF_MUST_USE int hf_files_look_for_drift(struct hf_files_look *look, struct hf_err *err);
