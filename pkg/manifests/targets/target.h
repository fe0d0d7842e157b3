/* SPDX-License-Identifier: Apache-2.0 */
/* What depends on Files, StaticPods or Cluster; nothing outside this folder asks which it is. Threads: loop thread
 * only, unless said otherwise. */
#pragma once

#include <stdbool.h>

#include "api/manifest.h"
#include "config/config.h"
#include "manifests/files/place.h"
#include "manifests/state/record.h"

struct entry;

struct target_ops {
    /* Actions of rules/machine.h; each ends with an event. */
    void (*place)(struct entry *entry);
    void (*probe)(struct entry *entry);
    void (*roll_back)(struct entry *entry);
    /* Looks for drift of the good set, if due and allowed. True: a look has started. */
    bool (*look)(struct entry *entry);
    /* Checks once more an applied set whose health is unknown, if due. True: a job has started. */
    bool (*check_again)(struct entry *entry);
    /* An applied set waits for such a check. */
    bool (*is_unchecked)(const struct entry *entry);
    /* All that is in place, unless rules/plan.h stops it; then calls then(entry) or wakes the engine. False: there is
     * nothing that it may remove. The caller knows that a removal is allowed. */
    bool (*remove)(struct entry *entry, void (*then)(struct entry *entry));
    /* Called for a prepared attempt, before its first file changes. True: a step has started, which raises Go at its
     * end. */
    bool (*prepares)(struct entry *entry);
    /* A placed set must pass the action `probe`, whatever its entry says. */
    bool (*needs_probe)(const struct entry *entry);
    /* The node permits this target to an entry of this scope. */
    bool (*is_allowed)(const struct hf_config *config, enum hf_config_scope scope, struct hf_err *err);
    /* Worker: finds the folder where an attempt with this set stages its files. False: none that the node lets it
     * write. */
    bool (*find_root)(const struct entry *entry, const struct hf_files_place *place, const struct hf_config *config,
                      const struct hf_manifest_set *set, char root[HF_FILES_MAX_PATH]);
    /* A lost one; blocks. */
    int (*make_inventory)(struct entry *entry, struct hf_err *err);
    /* The inventory says that nothing of the good set is in place. */
    bool (*lacks_all)(const struct entry *entry);
    bool is_pods; /* in the kubelet's folder, which it reads some time later */
    /* after the end of the process nothing shows how far an attempt came */
    bool cut_is_unproven;
};

/* The target of a set; Files without a set. */
const struct target_ops *target_of(const struct entry *entry, const struct hf_manifest_set *set);

/* For targets to which a question does not apply. */
bool target_never(struct entry *entry);
bool target_is_never(const struct entry *entry);
