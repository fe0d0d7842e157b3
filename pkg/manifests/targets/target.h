/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/targets/target.h - what depends on the target of an entry: Files, StaticPods or Cluster. Nothing outside
 * this folder asks which target an entry has. Threads: loop thread only, unless said otherwise. */
#pragma once

#include <stdbool.h>

#include "api/manifest.h"
#include "config/config.h"
#include "manifests/files/place.h"
#include "manifests/state/record.h"

struct entry;

struct target_ops {
    /* The actions of rules/machine.h. Each ends with an event. */
    void (*place)(struct entry *entry);
    void (*probe)(struct entry *entry);
    void (*roll_back)(struct entry *entry);
    /* Starts a look for drift of the good set, if one is due and allowed. Returns true if it has started one. */
    bool (*look)(struct entry *entry);
    /* Starts to check the health of an applied set once more, if its health is not known and a check is due. Returns
     * true if it has started a job. */
    bool (*check_again)(struct entry *entry);
    /* Returns true if an applied set waits for such a check. */
    bool (*is_unchecked)(const struct entry *entry);
    /* Removes all that is in place, unless the guard of removals (rules/plan.h) stops it, then calls then(entry) or
     * wakes the engine. Returns false if nothing is in place that it may remove. The caller has checked that a removal
     * is allowed now. */
    bool (*remove)(struct entry *entry, void (*then)(struct entry *entry));
    /* Called when an attempt is prepared, before its first file changes. Returns true if it has started a step, which
     * raises the event Go at its end. */
    bool (*prepares)(struct entry *entry);
    /* Returns true if a placed set of this target has to pass the action `probe`, whatever its entry says. */
    bool (*needs_probe)(const struct entry *entry);
    /* Returns true if the node lets an entry of this scope have this target. */
    bool (*is_allowed)(const struct hf_config *config, enum hf_config_scope scope, struct hf_err *err);
    /* Finds the folder in which an attempt with this set stages its files. Returns false if there is none that the node
     * lets the set write. Called on a worker. */
    bool (*find_root)(const struct entry *entry, const struct hf_files_place *place, const struct hf_config *config,
                      const struct hf_manifest_set *set, char root[HF_FILES_MAX_PATH]);
    /* Makes a lost inventory again. Blocks. */
    int (*make_inventory)(struct entry *entry, struct hf_err *err);
    /* Returns true if the inventory shows that nothing of the good set is in place. */
    bool (*lacks_all)(const struct entry *entry);
    bool is_pods; /* its files go to the folder of the kubelet, which reads them some time later */
    /* nothing shows how far an attempt came that the end of the process has cut short */
    bool cut_is_unproven;
};

/* Returns the target of a set; Files if there is no set. */
const struct target_ops *target_of(const struct entry *entry, const struct hf_manifest_set *set);

/* For targets to which a question does not apply. */
bool target_never(struct entry *entry);
bool target_is_never(const struct entry *entry);
