/* SPDX-License-Identifier: Apache-2.0 */
/* agent/resources/reclaim.h - frees space on a full file system by removing old files of the agent's own.
 *
 * spec.disk.reclaim of the policy turns it on. A pass works on each critically full file system until the use of the
 * file system is more than HF_DISK_HYSTERESIS_PERCENT points below warn_percent. The pass ends earlier if it reaches
 * HF_RECLAIM_MAX_REMOVED or HF_RECLAIM_MAX_VISITED. A pass removes only regular files whose names the agent itself
 * gives, in the agent's own folders and below the update roots, in this order:
 *
 *   downloads      .holdfast-<release>.part, .step, .point, .new and .scratch below an update root, if the state folder
 *                  has no record of the release; the update engine removes the files of releases that it knows
 *   set-aside      damaged files that the agent renamed (*.damaged) or moved (cache/damaged/) for a person to examine;
 *                  a file X.damaged of the state folder only if X exists beside it, because until then the name is the
 *                  evidence that there was an X
 *   dead-letters   segments of dead letters, except the newest one of each sink
 *
 * Each file must be older than HF_RECLAIM_AGE_NS. A pass keeps the downloads of a release with a long name: the names
 * of these files have only a hash of the release's name, so the pass cannot look for the record. A pass does not remove
 * telemetry in a spool, because the spool has its own limit. It also does not remove what a rollback or a repair needs
 * (.old, .tree, records, manifests, journals).
 *
 * A pass blocks; run it in a job. Threads: any. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/fs.h"

#define HF_RECLAIM_AGE_NS (24 * 3600 * HF_NS_PER_S)

enum {
    HF_RECLAIM_MAX_REMOVED = 64,  /* most files that one pass removes */
    HF_RECLAIM_MAX_VISITED = 4096 /* most names that one pass looks at */
};

enum hf_reclaim_kind { HF_RECLAIM_DOWNLOAD, HF_RECLAIM_SET_ASIDE, HF_RECLAIM_DEAD_LETTER, HF_RECLAIM_KINDS };

/* Returns "downloads", "set-aside" or "dead-letters". */
const char *hf_reclaim_kind_name(enum hf_reclaim_kind kind);

struct hf_reclaim_params {
    const struct hf_fs_ops *fs;
    const char *state_dir;
    const char *storage_dir;  /* folder of telemetry; NULL if there is none */
    const char *const *roots; /* update roots; NULL ends the array */
    const char *host_root;    /* prefix of the update roots' paths; "" on a host */
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

/* Runs one pass, and lists the removed files in *ret_reclaim; free the list with hf_reclaim_done(). After a failure,
 * the pass continues with the next file or folder. */
void hf_reclaim_run(const struct hf_reclaim_params *params, struct hf_reclaim *ret_reclaim);
void hf_reclaim_done(struct hf_reclaim *reclaim);
