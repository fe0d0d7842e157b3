/* SPDX-License-Identifier: Apache-2.0 */
/* Removes the agent's old files from a critically full file system (spec.disk.reclaim). Blocks: run it in a job.
 * Threads: any.
 *
 * Removes only regular files, older than a day, in its folders and below update roots, in this order:
 *
 *   downloads      .holdfast-<release>.part, .step, .point, .new, .scratch of a release without a record
 *   set-aside      *.damaged, files in cache/damaged/
 *   dead-letters   segments, except the newest of each sink */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/fs.h"

enum {
    HF_RECLAIM_MAX_REMOVED = 64,  /* files per run */
    HF_RECLAIM_MAX_VISITED = 4096 /* names per run */
};

enum hf_reclaim_kind { HF_RECLAIM_DOWNLOAD, HF_RECLAIM_SET_ASIDE, HF_RECLAIM_DEAD_LETTER, HF_RECLAIM_KINDS };

const char *hf_reclaim_kind_name(enum hf_reclaim_kind kind);

struct hf_reclaim_params {
    const struct hf_fs_ops *fs;
    const char *state_dir;
    const char *storage_dir; /* or NULL */
    const char *const *roots;
    const char *host_root; /* the host's root in a pod; "" on a host */
    unsigned warn_percent, critical_percent;
    uint64_t now_unix_ns;
};

struct hf_reclaimed {
    enum hf_reclaim_kind kind;
    uint64_t bytes;
    char *path; /* owned */
};

struct hf_reclaim {
    struct hf_reclaimed removed[HF_RECLAIM_MAX_REMOVED];
    size_t n;
};

/* Continues after a failure. */
void hf_reclaim_run(const struct hf_reclaim_params *params, struct hf_reclaim *ret_reclaim);
void hf_reclaim_done(struct hf_reclaim *reclaim);
