/* SPDX-License-Identifier: Apache-2.0 */
/* Where contents are: bundles on disk (disk.c); in memory with one copy sealed to the TPM, for Secrets (memory.c). The
 * set says which; nobody else asks. Threads: loop thread only, unless a function says "worker". */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/record.h"

struct entry;

/* What the functions below call. NULL: nothing to do, or no. */
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

extern const struct content_store content_disk_store, content_memory_store;

/* ---- of the content of one set ----------------------------------------------------------------------------------- */

/* A power cut takes content and files, and nothing of them may reach a disk or be shown. */
bool content_store_in_memory(const struct entry *entry, const struct hf_manifest_set *set);
/* The node's configuration permits files of the set at `path`. */
bool content_store_allows(const struct entry *entry, const struct hf_manifest_set *set, const struct hf_config *config,
                          enum hf_config_scope scope, const char *path);
/* Worker: the kernel may swap the content to a disk, where it must not be. */
bool content_store_leaks(const struct entry *entry, const struct hf_manifest_set *set);
/* False: the store certainly does not have the content. */
bool content_store_has(const struct entry *entry, const struct hf_manifest_set *set);
/* Worker: a copy of the content. -ENOENT, -EBADMSG: lost on disk (SourceUnreachable). -ENODATA: in no memory
 * (SecretAbsent). *outcome says so. */
int content_store_load(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                       struct hf_manifest_outcome *outcome);

/* ---- of the newest set ------------------------------------------------------------------------------------------- */

/* A delivered content. True: a step has started. */
bool content_store_take(struct entry *entry);
/* True: the set has to wait for its content, which is on its way. */
bool content_store_waits(struct entry *entry);
/* A refused set is tried again. True: it has to wait for its content, which was asked for. */
bool content_store_again(struct entry *entry);
bool content_store_is_again(const struct entry *entry);
/* A crash has cut a swap or rollback. True: waits for a content, or has begun another phase. */
bool content_store_stalls(struct entry *entry);

/* ---- of the good set, and of what is in place -------------------------------------------------------------------- */

/* Worker, before a rollback from `set`: keeps what is in place and nowhere else. */
int content_store_keep(struct entry *entry, const struct hf_manifest_set *set, const struct hf_files_place *place,
                       struct hf_manifest_outcome *outcome);
/* What content_store_keep() has kept in memory; NULL: nothing. */
struct secret_kept;
const struct secret_kept *content_store_kept(const struct entry *entry);
/* True: the rollback waits for its content; sets due_ns. */
bool content_store_returns(struct entry *entry);
/* Only an earlier process had the content to go back to, in its memory. */
bool content_store_lacks(const struct entry *entry);
/* A rollback cut short can only go on to the newest set: nobody has the content to go back to. */
bool content_store_goes_forward(const struct entry *entry);
/* The good set is one in memory, and its content is there. */
bool content_store_has_good(const struct entry *entry);
/* Files of the good set have drifted: gets their content if the store lacks it. */
void content_store_drifted(struct entry *entry, struct hf_diff *diff);
/* A content has come back, with which the files in place must be compared. */
bool content_store_verifies(struct entry *entry);
void content_store_repaired(struct entry *entry);

/* ---- of the entry ------------------------------------------------------------------------------------------------ */

/* At the start of the agent; blocks. */
void content_store_begin(struct entry *entry);
/* The policy has another entry of this name, or none. */
void content_store_renew(struct entry *entry, bool other_source);
/* An interval of the policy has passed. */
void content_store_check(struct entry *entry);
bool content_store_wants_cleanup(const struct entry *entry);
/* The entry rests: frees what no step needs. True: in a step, which ends with then(entry). */
bool content_store_settle(struct entry *entry, void (*then)(struct entry *entry));
/* Digest of the sealed copy that a cleanup leaves; "": none. */
const char *content_store_copy(const struct entry *entry);
/* A cleanup has removed all sealed copies but this one. */
void content_store_swept(struct entry *entry, const char *copy);
/* Its Secret is deleted, says the API server: what is in place must go. */
bool content_store_is_revoked(const struct entry *entry);
void content_store_removed(struct entry *entry);
/* Overwrites what is secret. */
void content_store_done(struct entry *entry);
