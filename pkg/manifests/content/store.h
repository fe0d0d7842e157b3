/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/store.h - where the contents of an entry's sets are: bundles on disk (disk.c), or in memory with
 * one copy that is sealed to the TPM (memory.c), for contents of Secrets. The set says which store has its content;
 * nobody else asks. Threads: loop thread only, except where a function says "worker". */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/record.h"

struct entry;

/* What the functions below call. NULL: there is nothing to do, or the answer is no. */
struct content_store {
    bool in_memory;
    bool (*allows)(const struct hf_config *config, enum hf_config_scope scope, const char *path, struct hf_err *err);
    bool (*leaks)(const struct hf_fs_ops *fs);
    bool (*has)(const struct entry *entry, const struct hf_manifest_set *set);
    int (*load)(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                struct hf_manifest_outcome *outcome);
    bool (*take)(struct entry *entry);
    bool (*waits)(struct entry *entry);
    bool (*again)(struct entry *entry);
    bool (*stalls)(struct entry *entry);
    bool (*returns)(struct entry *entry);
    void (*drifted)(struct entry *entry, struct hf_diff *diff);
    int (*keep)(struct entry *entry, const struct hf_files_place *place, struct hf_manifest_outcome *outcome);
    void (*begin)(struct entry *entry);
    void (*renew)(struct entry *entry, bool other_source);
    void (*check)(struct entry *entry);
    bool (*wants_cleanup)(const struct entry *entry);
    bool (*settle)(struct entry *entry, void (*then)(struct entry *entry));
    const char *(*copy)(const struct entry *entry);
    void (*swept)(struct entry *entry, const char *copy);
    bool (*verifies)(struct entry *entry);
    void (*repaired)(struct entry *entry);
    void (*done)(struct entry *entry);
};

/* For entry.stores. */
extern const struct content_store content_disk_store, content_memory_store;

/* ---- of the content of one set ----------------------------------------------------------------------------------- */

/* True if content and files of the set are in memory alone: a power cut takes them, and nothing of them may go to a
 * disk or be shown. */
bool content_store_in_memory(const struct entry *entry, const struct hf_manifest_set *set);
/* True if the node's configuration lets files of the set be at `path`. */
bool content_store_allows(const struct entry *entry, const struct hf_manifest_set *set, const struct hf_config *config,
                          enum hf_config_scope scope, const char *path);
/* Worker: true if the kernel may swap the content to a disk, where it must not be. */
bool content_store_leaks(const struct entry *entry, const struct hf_manifest_set *set);
/* False if it is certain that the store does not have the content. */
bool content_store_has(const struct entry *entry, const struct hf_manifest_set *set);
/* Worker: makes a copy of the content. -ENOENT, -EBADMSG: the copy on disk is lost (SourceUnreachable). -ENODATA: the
 * content is in no memory (SecretAbsent). *outcome says so. */
int content_store_load(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                       struct hf_manifest_outcome *outcome);

/* ---- of the newest set ------------------------------------------------------------------------------------------- */

/* A content has been delivered: takes it into its store. Returns true if a step has started. */
bool content_store_take(struct entry *entry);
/* Returns true if the set has to wait for its content, which is on its way then. */
bool content_store_waits(struct entry *entry);
/* A refused set is tried again. Returns true if it has to wait for its content, which is asked for then. */
bool content_store_again(struct entry *entry);
/* True if content_store_again() has last returned true. */
bool content_store_is_again(const struct entry *entry);
/* A crash has cut a swap or a rollback. Returns true if it has to wait for a content, or has begun another phase. */
bool content_store_stalls(struct entry *entry);

/* ---- of the good set, and of what is in place -------------------------------------------------------------------- */

/* Worker: prepares a rollback from `set`: keeps what is in place, if it is nowhere else. */
int content_store_keep(struct entry *entry, const struct hf_manifest_set *set, const struct hf_files_place *place,
                       struct hf_manifest_outcome *outcome);
/* What content_store_keep() has kept in memory; NULL: nothing. */
struct secret_kept;
const struct secret_kept *content_store_kept(const struct entry *entry);
/* Returns true while a rollback waits for the content to go back to. Sets due_ns. */
bool content_store_returns(struct entry *entry);
/* True if the content to go back to was kept in memory only, and an earlier process has had it. */
bool content_store_lacks(const struct entry *entry);
/* True if a rollback cut short can only go on to the newest set, because nobody has the content to go back to. */
bool content_store_goes_forward(const struct entry *entry);
/* True if the good set is one in memory, and its content is there. */
bool content_store_has_good(const struct entry *entry);
/* Files of the good set have drifted, and the store does not have their content: gets it. */
void content_store_drifted(struct entry *entry, struct hf_diff *diff);
/* True if a content has come back with which the files in place must be compared. */
bool content_store_verifies(struct entry *entry);
/* A repair has ended. */
void content_store_repaired(struct entry *entry);

/* ---- of the entry ------------------------------------------------------------------------------------------------ */

/* Finds out at the start of the agent what there is. Blocks. */
void content_store_begin(struct entry *entry);
/* The policy has another entry of this name, or none; `other_source`: with another source. */
void content_store_renew(struct entry *entry, bool other_source);
/* An interval of the policy has passed. */
void content_store_check(struct entry *entry);
/* True if a cleanup is due. */
bool content_store_wants_cleanup(const struct entry *entry);
/* The entry rests: frees what no step needs. Returns true if that takes a step, which calls then(entry) at its end. */
bool content_store_settle(struct entry *entry, void (*then)(struct entry *entry));
/* Digest of the sealed copy that a cleanup must leave; "": none. */
const char *content_store_copy(const struct entry *entry);
/* A cleanup has removed all sealed copies but this one. */
void content_store_swept(struct entry *entry, const char *copy);
/* True if what is in place must go, because the API server has confirmed that its Secret is deleted. */
bool content_store_is_revoked(const struct entry *entry);
/* It is gone. */
void content_store_removed(struct entry *entry);
/* Frees all; overwrites what is secret. */
void content_store_done(struct entry *entry);
