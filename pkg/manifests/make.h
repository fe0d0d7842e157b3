/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the files that a set asks for. */
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
    struct hf_manifest *entry;
    bool health_unknown;
    bool checked;
    /* Called after the health checks: looks at what is on trial, then may call trial_conclude(). NULL: trial.c looks at
     * files. */
    void (*look)(struct entry *entry);
    /* why the attempt fails, unless a look finds that somebody has changed items */
    struct entry_note failure;
    /* result of starting the command of `validate`: 0; -EAGAIN: may work soon; -ENOENT: a person has to act */
    int not_started;
    struct hf_manifest_set set;
    struct hf_files_want want;
    struct hf_files_place place;
    const struct hf_config *config;
    enum hf_config_scope scope;
    const char *argv[HF_MAX_ARGV + 1]; /* of `validate`, with the candidate's path */
    char pod_folder[HF_FILES_MAX_PATH];
    /* paths that the set must not change (place.closed_folders) */
    const char *closed[HF_CLOSED_MAX + 1];
    bool on_swap; /* the content is secret, and memory may be swapped to a disk */
};

int make_entry(const json_t *json, struct hf_manifest **ret_entry, struct hf_err *err);
void make_entry_free(struct hf_manifest *entry);
/* NULL: no memory, or a malformed set. */
struct attempt *make_attempt(struct entry *entry, const struct hf_manifest_set *set);
void make_attempt_free(struct attempt *attempt);
/* Worker: whether the node permits this file to the set. Implements hf_files_bounds.allows_placed; `arg`: a struct
 * attempt. */
bool make_allows_placed(void *arg, const struct hf_inventory_item *item);
/* Worker: loads the set's content, and replaces its variables. */
int make_bundle(const struct entry *entry, const struct attempt *attempt, struct hf_bundle **ret_bundle,
                struct hf_manifest_outcome *outcome);
/* Worker: whether `r` comes from a disk that cannot read the set's content, and not from the target. */
bool make_is_unreadable(const struct entry *entry, const struct attempt *attempt, int r);
int make_want(struct entry *entry, struct attempt *attempt, struct hf_manifest_outcome *outcome);
/* Remakes a lost inventory from the good set's content on disk; blocks. Without a good set it does nothing. If an
 * attempt had begun, adds files of the newest set that are in place; in Applying sets r.unproven, because a swap may
 * have begun. Leaves out folders. */
int make_inventory(struct entry *entry, struct hf_err *err);
