/* SPDX-License-Identifier: Apache-2.0 */
/* Where contents are: bundles on disk (disk.c), or Secrets in memory with one copy sealed to the TPM (memory.c). The
 * set says which; no other code asks. */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/record.h"

struct entry;

/* Called by the functions below. NULL: nothing to do, or no. */
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

/* True: a power cut loses the content, which must reach no disk and be shown nowhere. */
bool content_store_in_memory(const struct entry *entry, const struct hf_manifest_set *set);
/* Does the node's configuration permit files of the set at `path`? */
bool content_store_allows(const struct entry *entry, const struct hf_manifest_set *set, const struct hf_config *config,
                          enum hf_config_scope scope, const char *path);
/* Worker: may the kernel swap a content that must reach no disk? */
bool content_store_leaks(const struct entry *entry, const struct hf_manifest_set *set);
/* False: the store certainly lacks it. */
bool content_store_has(const struct entry *entry, const struct hf_manifest_set *set);
/* Worker: a copy. -ENOENT, -EBADMSG: lost on disk (SourceUnreachable). -ENODATA: in no memory (SecretAbsent). */
int content_store_load(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                       struct hf_manifest_outcome *outcome);

/* ---- of the newest set ------------------------------------------------------------------------------------------- */

/* Takes a delivered content. True: a step has started. */
bool content_store_take(struct entry *entry);
/* True: the content is on its way, and the set waits. */
bool content_store_waits(struct entry *entry);
/* For a refused set. True: its content was asked for, and the set waits. */
bool content_store_again(struct entry *entry);
bool content_store_is_again(const struct entry *entry);
/* After a crash in a swap or rollback. True: the entry waits for a content, or is in another phase now. */
bool content_store_stalls(struct entry *entry);

/* ---- of the good set, and of what is in place -------------------------------------------------------------------- */

/* Worker, before a swap to `set`: keeps what only the files in place have. */
int content_store_keep(struct entry *entry, const struct hf_manifest_set *set, const struct hf_files_place *place,
                       struct hf_manifest_outcome *outcome);
/* Kept in memory by content_store_keep(); NULL: nothing. */
struct secret_kept;
const struct secret_kept *content_store_kept(const struct entry *entry);
/* True: the rollback waits for the good content, perhaps until due_ns. */
bool content_store_returns(struct entry *entry);
/* True: only the memory of an earlier process had what a rollback needs. */
bool content_store_lacks(const struct entry *entry);
/* An interrupted rollback must continue to the newest set: nobody has the content of the good one. */
bool content_store_goes_forward(const struct entry *entry);
/* Is the good set's content in memory? */
bool content_store_has_good(const struct entry *entry);
/* Gets the good set's content for a repair, if the store lacks it. */
void content_store_drifted(struct entry *entry, struct hf_diff *diff);
/* Compare the files in place with a content that has come back? */
bool content_store_verifies(struct entry *entry);
void content_store_repaired(struct entry *entry);

/* ---- of the entry ------------------------------------------------------------------------------------------------ */

/* At the start; blocks. */
void content_store_begin(struct entry *entry);
/* The policy has another entry of this name, or none. */
void content_store_renew(struct entry *entry, bool other_source);
/* Once per interval of the policy. */
void content_store_check(struct entry *entry);
bool content_store_wants_cleanup(const struct entry *entry);
/* At rest: frees what no step needs. True: a step that ends with then(entry) has started. */
bool content_store_settle(struct entry *entry, void (*then)(struct entry *entry));
/* Digest of the sealed copy that a cleanup must leave. */
const char *content_store_copy(const struct entry *entry);
/* A cleanup has removed all other sealed copies. */
void content_store_swept(struct entry *entry, const char *copy);
/* The API server says that its Secret is deleted: what is in place must go. */
bool content_store_is_revoked(const struct entry *entry);
void content_store_removed(struct entry *entry);
/* Overwrites what is secret. */
void content_store_done(struct entry *entry);
