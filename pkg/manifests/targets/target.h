/* SPDX-License-Identifier: Apache-2.0 */
/* What depends on Files, StaticPods or Cluster; nothing outside this folder asks which it is. */
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
    /* Looks for drift of the good set, if due and allowed. True: started. */
    bool (*look)(struct entry *entry);
    /* Checks again an applied set of unknown health, if due. True: started. */
    bool (*check_again)(struct entry *entry);
    /* Such a check is to come. */
    bool (*is_unchecked)(const struct entry *entry);
    /* Removes all that is in place, unless rules/plan.h stops it; then calls then(entry) or wakes the engine. False:
     * nothing to remove. The caller checks that removal is allowed. */
    bool (*remove)(struct entry *entry, void (*then)(struct entry *entry));
    /* Before the first file of a prepared attempt changes. True: a step has started, which ends in Go. */
    bool (*prepares)(struct entry *entry);
    /* A set in place must pass `probe`, whatever its entry says. */
    bool (*needs_probe)(const struct entry *entry);
    /* Does the node permit this target to an entry of this scope? */
    bool (*is_allowed)(const struct hf_config *config, enum hf_config_scope scope, struct hf_err *err);
    /* Worker: where an attempt with this set stages its files. False: nowhere that the node permits. */
    bool (*find_root)(const struct entry *entry, const struct hf_files_place *place, const struct hf_config *config,
                      const struct hf_manifest_set *set, char root[HF_FILES_MAX_PATH]);
    /* Remakes a lost inventory; blocks. */
    int (*make_inventory)(struct entry *entry, struct hf_err *err);
    /* The inventory has nothing of the good set. */
    bool (*lacks_all)(const struct entry *entry);
    /* May the file with this path name images of pods? NULL: none does. */
    bool (*names_images)(const char *path);
    bool is_pods; /* the kubelet reads the files later */
    /* nothing shows a later process how far an attempt came */
    bool cut_is_unproven;
};

/* Target of the set; without one, Files. */
const struct target_ops *target_of(const struct entry *entry, const struct hf_manifest_set *set);

/* Answers of targets to which a question does not apply. */
bool target_never(struct entry *entry);
bool target_is_never(const struct entry *entry);
