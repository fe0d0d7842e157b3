/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/engine_impl.h - the engine itself, for the .c files of pkg/manifests. Threads: loop thread only. */
#pragma once

#include "base/strmap.h"
#include "manifests/counts.h"
#include "manifests/engine.h"
#include "manifests/source/turns.h"
#include "steer/core.h"

struct entry;
struct target_ops;

/* Limits of all entries together. Entries that no policy has any more ("left") may wait for ever for a person to allow
 * their removal (PruneLimit). So they have limits of their own, and take no room from the entries of the policy, of
 * which there are at most HF_MAX_MANIFESTS. When the left entries reach one of their limits, the engine takes up no new
 * name. It drops none of them, because nobody would manage its files then. */
enum {
    MANIFEST_MAX_WATCHES = 1024,         /* watched folders */
    MANIFEST_MAX_LEFT = 1024,            /* left entries */
    MANIFEST_MAX_LEFT_BYTES = 256 << 20, /* bytes of their contents on disk */
    MANIFEST_MAX_LEFT_ITEMS = 64 * 4096  /* items of their inventories, which are in memory */
};

#define MANIFEST_DOWNLOAD "download" /* subfolder of an entry's folder, for an unfinished download */

struct hf_manifest_engine {
    struct hf_manifest_engine_params p;
    const struct target_ops *const *targets; /* one for each enum hf_manifest_target */
    char *folder;                            /* <state>/manifests */
    struct hf_steer_core core;               /* one job at a time */
    struct hf_strmap entries;                /* maps a name to a struct entry */
    struct hf_strmap no_room;      /* names of the policy that found no room, each with its enum hf_manifest_target */
    struct hf_source_turns *turns; /* of the sources, to have a large content in memory */
    unsigned n_watches;
    bool set_once; /* hf_manifest_engine_set() has been called */
    bool proven, held, stale;
    uint64_t interval_ns; /* interval of the policy */
    /* value of the policy's annotation allow-prune (hf_plan_prune_is_allowed()); NULL if there is none */
    char *allow_prune;
    struct hf_manifest_counts counts;
};

extern const struct target_ops *const manifest_engine_targets[HF_MANIFEST_TARGETS];

/* engine_core.c */
/* Makes the engine call p.changed in the event loop's next iteration. */
void manifest_engine_notify(struct hf_manifest_engine *engine);
/* The phase of an entry has changed: wakes the entries that may wait for that (dependsOn). */
void manifest_engine_wake_dependents(struct hf_manifest_engine *engine);
uint64_t manifest_engine_now(const struct hf_manifest_engine *engine);
