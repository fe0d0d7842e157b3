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

/* An attempt to place, check, roll back to, repair or remove a set. */
struct attempt {
    struct hf_manifest *entry; /* decoded set.entry */
    bool health_unknown;       /* nothing shows whether static pods run */
    bool checked;
    /* After the checks: looks at what is on trial, then calls trial_conclude(). NULL: trial.c looks at files. */
    void (*look)(struct entry *entry);
    /* why it fails, unless a look finds that somebody has changed items */
    struct entry_note failure;
    /* command of `validate`: 0: started; -EAGAIN: may start soon; -ENOENT: a person has to act */
    int not_started;
    struct hf_manifest_set set;
    struct hf_files_want want;
    struct hf_files_place place;
    const struct hf_config *config;
    enum hf_config_scope scope;
    const char *argv[HF_MAX_ARGV + 1]; /* of `validate`, with the candidate's path */
    char pod_folder[HF_FILES_MAX_PATH];
    const char *closed[HF_CLOSED_MAX + 1]; /* for place.closed_folders: holdfast's and the kubelet's */
    bool on_swap;                          /* secret, and memory may be swapped to a disk */
};

int make_entry(const json_t *json, struct hf_manifest **ret_entry, struct hf_err *err);
void make_entry_free(struct hf_manifest *entry);
/* NULL: no memory, or a malformed set. */
struct attempt *make_attempt(struct entry *entry, const struct hf_manifest_set *set);
void make_attempt_free(struct attempt *attempt);
/* Worker: hf_files_bounds.allows_placed; `arg`: a struct attempt. Does the node permit this file with the set's rights,
 * to Files or StaticPods? */
bool make_allows_placed(void *arg, const struct hf_inventory_item *item);
/* Worker: the set's content, with variables replaced. */
int make_bundle(const struct entry *entry, const struct attempt *attempt, struct hf_bundle **ret_bundle,
                struct hf_manifest_outcome *outcome);
/* Worker: is `r` an error of the disk with the set's content, and not of the target? */
bool make_is_unreadable(const struct entry *entry, const struct attempt *attempt, int r);
/* Worker: make_bundle(), then attempt->want. */
int make_want(struct entry *entry, struct attempt *attempt, struct hf_manifest_outcome *outcome);
/* Remakes a lost inventory from the good set, if any, and its content on disk. In Applying, Probation and RollingBack
 * adds files of the newest set that are in place with its content, if there is a good set; in Applying sets r.unproven:
 * a swap may have begun. Lacks folders that the entry made. Blocks. */
int make_inventory(struct entry *entry, struct hf_err *err);
