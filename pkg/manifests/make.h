/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/make.h - from a set to the files that it asks for. */
#pragma once

#include "api/manifest.h"
#include "config/config.h"
#include "manifests/advance.h"
#include "manifests/files/closed.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/state/record.h"

struct entry;

/* An attempt to place a set, to check it, to roll back to it, to repair it, or to remove it. The struct exists from the
 * first step of the attempt to the last. */
struct attempt {
    struct hf_manifest *entry; /* decoded from set.entry */
    bool health_unknown;       /* nothing has shown whether the static pods of the set run */
    bool checked;              /* the health checks of the set are done */
    /* Looks at what is on trial after the checks, then calls trial_conclude(). NULL: trial.c looks at the files. */
    void (*look)(struct entry *entry);
    /* why the set fails, unless a look finds that somebody has changed it; the reason is NONE if it passes so far */
    struct entry_note failure;
    /* If the command of `validate` did not start: -EAGAIN if it may start soon, or -ENOENT if a person has to mend
     * something first. 0 if it started. */
    int not_started;
    struct hf_manifest_set set;
    struct hf_files_want want;
    struct hf_files_place place;
    const struct hf_config *config;
    enum hf_config_scope scope;
    const char *argv[HF_MAX_ARGV + 1]; /* the command of `validate`, with the path of the candidate filled in */
    char pod_folder[HF_FILES_MAX_PATH];
    const char *closed[HF_CLOSED_MAX + 1]; /* folders of holdfast and of the kubelet: place.closed_folders */
    bool on_swap;                          /* the content is secret, and the kernel may swap memory to a disk */
};

/* Decodes the JSON of an entry. Free it with make_entry_free(). */
int make_entry(const json_t *json, struct hf_manifest **ret_entry, struct hf_err *err);
void make_entry_free(struct hf_manifest *entry);
/* Makes an attempt for a set. Call this function on the loop thread. Returns NULL if memory runs out or the set is
 * malformed. */
struct attempt *make_attempt(struct entry *entry, const struct hf_manifest_set *set);
void make_attempt_free(struct attempt *attempt);
/* For hf_files_place.allows_placed, whose `arg` is an attempt: returns true if the node lets an entry with the rights
 * of this set write this file, whatever the entry's target. Called on a worker. */
bool make_allows_placed(void *arg, const struct hf_inventory_item *item);
/* Loads the content of the attempt's set, and replaces the variables in it if the entry has `substitute`. Called on a
 * worker. */
int make_bundle(const struct entry *entry, const struct attempt *attempt, struct hf_bundle **ret_bundle,
                struct hf_manifest_outcome *outcome);
/* Returns true if an attempt has failed with the -errno `r` because the disk cannot read the content of its set. (The
 * same error of the target may pass, however long it takes.) Called on a worker. */
bool make_is_unreadable(const struct entry *entry, const struct attempt *attempt, int r);
/* Calls make_bundle(), then makes the list of files that the set asks for (attempt->want). Called on a worker. */
int make_want(struct entry *entry, struct attempt *attempt, struct hf_manifest_outcome *outcome);
/* Makes a lost inventory again from the good set and its content on disk, so that the entry's own files do not count as
 * foreign files. In the phases Applying, Probation and RollingBack, also adds those files of the newest set that are in
 * place with exactly the content that this set wants. In the phase Applying, also sets r.unproven, because nobody knows
 * if a swap had begun. The new inventory lacks the folders that the entry made. Does nothing without a good set.
 * Blocks. */
int make_inventory(struct entry *entry, struct hf_err *err);
