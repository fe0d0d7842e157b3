/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between the targets Files, StaticPods and Cluster. */
#pragma once

#include <stdbool.h>

#include "api/manifest.h"
#include "config/config.h"
#include "manifests/files/place.h"
#include "manifests/state/record.h"

struct entry;

struct target_ops {
    /* Actions of rules/machine.h; each ends in an event. */
    void (*place)(struct entry *entry);
    void (*probe)(struct entry *entry);
    void (*roll_back)(struct entry *entry);
    /* Looks for drift of the good set, if due and allowed. Returns whether a look or repair has started. */
    bool (*look)(struct entry *entry);
    /* Checks an applied set of unknown or bad health again, if due. Returns whether a check has started. */
    bool (*check_again)(struct entry *entry);
    bool (*is_unchecked)(const struct entry *entry);
    /* Removes what is in place, unless rules/plan.h stops it; then calls then(entry) or wakes the engine. Returns
     * false if nothing is to be removed. The caller checks that removal is allowed. */
    bool (*remove)(struct entry *entry, void (*then)(struct entry *entry));
    /* Called before the first file of a prepared attempt changes. Returns true if a step has started, which ends in
     * the event Go. */
    bool (*prepares)(struct entry *entry);
    /* For files: whether a set in place must pass `probe`, whatever its entry says. */
    bool (*needs_probe)(const struct entry *entry);
    bool (*is_allowed)(const struct hf_config *config, enum hf_config_scope scope, struct hf_err *err);
    /* Worker: finds where an attempt with this set stages its files. Returns false if the node permits no place. */
    bool (*find_root)(const struct entry *entry, const struct hf_files_place *place, const struct hf_config *config,
                      const struct hf_manifest_set *set, char root[HF_FILES_MAX_PATH]);
    int (*make_inventory)(struct entry *entry, struct hf_err *err);
    bool (*lacks_all)(const struct entry *entry);
    /* Whether the file with this path may name images of pods. NULL: no file does. */
    bool (*names_images)(const char *path);
    bool is_pods; /* static pods: the kubelet reads the files later */
    /* nothing shows a later process how far an attempt came */
    bool cut_is_unproven;
};

/* Returns the target of the set; of an empty set, Files. */
const struct target_ops *target_of(const struct entry *entry, const struct hf_manifest_set *set);

/* Return false, for questions that do not apply to a target. */
bool target_never(struct entry *entry);
bool target_is_never(const struct entry *entry);
