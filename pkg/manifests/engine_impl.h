/* SPDX-License-Identifier: Apache-2.0 */
/* The engine itself, for the .c files of pkg/manifests. */
#pragma once

#include "base/strmap.h"
#include "manifests/counts.h"
#include "manifests/engine.h"
#include "manifests/source/turns.h"
#include "steer/core.h"

struct entry;
struct target_ops;

/* Limits of all entries together. Entries that no policy has ("left") may stay for ever, until a person allows their
 * removal (PruneLimit). At a MANIFEST_MAX_LEFT* limit the engine makes no entry with a new name, and drops none. */
enum {
    MANIFEST_MAX_WATCHES = 1024,         /* watched folders */
    MANIFEST_MAX_LEFT = 1024,            /* entries */
    MANIFEST_MAX_LEFT_BYTES = 256 << 20, /* of their newest contents on disk */
    MANIFEST_MAX_LEFT_ITEMS = 64 * 4096  /* of their file inventories in memory */
};

#define MANIFEST_DOWNLOAD "download" /* folder in an entry's folder */

struct hf_manifest_engine {
    struct hf_manifest_engine_params p;
    const struct target_ops *const *targets; /* by enum hf_manifest_target */
    char *folder;                            /* <state>/manifests */
    struct hf_steer_core core;
    struct hf_strmap entries; /* name to struct entry */
    /* names for which a limit leaves no room, to their enum hf_manifest_target */
    struct hf_strmap no_room;
    struct hf_source_turns *turns;
    unsigned n_watches;
    bool set_once;
    bool proven, held, stale;
    bool reads_images; /* the policy prefetches images of its workloads */
    bool may_hold;
    uint64_t interval_ns;
    /* value of the annotation HF_PLAN_ALLOW_PRUNE, or NULL */
    char *allow_prune;
    struct hf_manifest_counts counts;
};

extern const struct target_ops *const manifest_engine_targets[HF_MANIFEST_TARGETS];

void manifest_engine_wake_dependents(struct hf_manifest_engine *engine);
