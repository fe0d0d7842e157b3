/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/targets/target.h - what depends on Files, StaticPods or Cluster; nothing outside this folder asks which it
 * is. Threads: loop thread only, unless said otherwise. */
#pragma once

#include <stdbool.h>

#include "api/manifest.h"
#include "config/config.h"
#include "manifests/files/place.h"
#include "manifests/state/record.h"

struct entry;

struct target_ops {
    /* Of rules/machine.h; each ends with an event. */
    void (*place)(struct entry *entry);
    void (*probe)(struct entry *entry);
    void (*roll_back)(struct entry *entry);
    /* For drift of the good set, if due and allowed. True: started. */
    bool (*look)(struct entry *entry);
    /* The health of an applied set whose health is unknown, if due. True: a job has started. */
    bool (*check_again)(struct entry *entry);
    /* It waits for that. */
    bool (*is_unchecked)(const struct entry *entry);
    /* All that is in place, unless rules/plan.h stops it; then calls then(entry) or wakes the engine. False: there is
     * nothing that it may remove. The caller knows that a removal is allowed. */
    bool (*remove)(struct entry *entry, void (*then)(struct entry *entry));
    /* A prepared attempt, before its first file changes. True: a step has started that raises Go. */
    bool (*prepares)(struct entry *entry);
    /* Must pass `probe`, whatever the entry says. */
    bool (*needs_probe)(const struct entry *entry);
    /* By the node, to an entry of this scope. */
    bool (*is_allowed)(const struct hf_config *config, enum hf_config_scope scope, struct hf_err *err);
    /* Worker: where an attempt with this set stages its files. False: nowhere that the node lets it write. */
    bool (*find_root)(const struct entry *entry, const struct hf_files_place *place, const struct hf_config *config,
                      const struct hf_manifest_set *set, char root[HF_FILES_MAX_PATH]);
    /* A lost one; blocks. */
    int (*make_inventory)(struct entry *entry, struct hf_err *err);
    /* The inventory has nothing of the good set. */
    bool (*lacks_all)(const struct entry *entry);
    bool is_pods; /* in the kubelet's folder, which it reads some time later */
    /* after the end of the process nothing shows how far an attempt came */
    bool cut_is_unproven;
};

/* No set: Files. */
const struct target_ops *target_of(const struct entry *entry, const struct hf_manifest_set *set);

/* Where a question does not apply. */
bool target_never(struct entry *entry);
bool target_is_never(const struct entry *entry);
