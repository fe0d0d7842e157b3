/* SPDX-License-Identifier: Apache-2.0 */
/* From a set to the files that it asks for. */
#pragma once

#include "api/manifest.h"
#include "config/config.h"
#include "manifests/advance.h"
#include "manifests/files/closed.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/state/record.h"

struct entry;

/* An attempt to place, check, roll back to, repair or remove a set, from the first step to the last. */
struct attempt {
    struct hf_manifest *entry; /* of set.entry */
    bool health_unknown;       /* nothing shows whether its static pods run */
    bool checked;              /* of its health */
    /* After the checks: looks at what is on trial, then calls trial_conclude(). NULL: at the files, by trial.c. */
    void (*look)(struct entry *entry);
    /* why it fails, unless a look finds that somebody has changed it; NONE: passes so far */
    struct entry_note failure;
    /* the command of `validate`: 0: started; -EAGAIN: may start soon; -ENOENT: a person has to act first */
    int not_started;
    struct hf_manifest_set set;
    struct hf_files_want want;
    struct hf_files_place place;
    const struct hf_config *config;
    enum hf_config_scope scope;
    const char *argv[HF_MAX_ARGV + 1]; /* of `validate`, with the candidate's path */
    char pod_folder[HF_FILES_MAX_PATH];
    const char *closed[HF_CLOSED_MAX + 1]; /* holdfast's and the kubelet's: place.closed_folders */
    bool on_swap;                          /* secret, and the kernel may swap memory to a disk */
};

/* Free it with make_entry_free(). */
int make_entry(const json_t *json, struct hf_manifest **ret_entry, struct hf_err *err);
void make_entry_free(struct hf_manifest *entry);
/* An attempt for a set, on the loop thread. NULL: no memory, or a malformed set. */
struct attempt *make_attempt(struct entry *entry, const struct hf_manifest_set *set);
void make_attempt_free(struct attempt *attempt);
/* Worker: hf_files_place.allows_placed, with an attempt as `arg`: the node permits this file to an entry with the set's
 * rights, whatever its target. */
bool make_allows_placed(void *arg, const struct hf_inventory_item *item);
/* Worker: loads the set's content, with its variables replaced. */
int make_bundle(const struct entry *entry, const struct attempt *attempt, struct hf_bundle **ret_bundle,
                struct hf_manifest_outcome *outcome);
/* Worker: an attempt has failed with `r` because the disk cannot read the set's content. (The same error of the target
 * may pass, however long it takes.) */
bool make_is_unreadable(const struct entry *entry, const struct attempt *attempt, int r);
/* Worker: make_bundle(), then attempt->want. */
int make_want(struct entry *entry, struct attempt *attempt, struct hf_manifest_outcome *outcome);
/* A lost inventory from the good set and its content on disk. In Applying, Probation and RollingBack also files of the
 * newest set that are in place exactly so; in Applying sets r.unproven: a swap may have begun. Lacks folders that the
 * entry made. Nothing without a good set. Blocks. */
int make_inventory(struct entry *entry, struct hf_err *err);
