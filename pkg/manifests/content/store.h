/* SPDX-License-Identifier: Apache-2.0 */
/* Where contents are kept: bundles on disk (disk.c), or Secrets in memory with at most one copy sealed to the TPM
 * (memory.c). Most functions about one set use its store; most about the entry use every store. `leaks`, `load` and
 * `keep` run on workers. */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/record.h"

struct entry;

/* Some members may be NULL: these do nothing, and answer no. */
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

/* Whether the content is a Secret's, which must reach no disk unsealed and be shown nowhere. */
bool content_store_in_memory(const struct entry *entry, const struct hf_manifest_set *set);
bool content_store_allows(const struct entry *entry, const struct hf_manifest_set *set, const struct hf_config *config,
                          enum hf_config_scope scope, const char *path);
/* Whether the content must reach no disk, but the kernel may swap it to one. */
bool content_store_leaks(const struct entry *entry, const struct hf_manifest_set *set);
/* Whether the store may have the content; on disk only a read shows it. */
bool content_store_has(const struct entry *entry, const struct hf_manifest_set *set);
/* Copies the content. -ENOENT, -EBADMSG: lost on disk (SourceUnreachable). -ENODATA: not in memory (SecretAbsent). */
int content_store_load(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                       struct hf_manifest_outcome *outcome);

/* ---- of the newest set ------------------------------------------------------------------------------------------- */

/* Moves a delivered content into its store. Returns whether a step has started. */
bool content_store_take(struct entry *entry);
/* Asks for the set's content, unless the store has it. Returns whether the set waits for it. */
bool content_store_waits(struct entry *entry);
/* Asks for the content of a refused set that is tried again. Returns whether the set waits for it. */
bool content_store_again(struct entry *entry);
bool content_store_is_again(const struct entry *entry);
/* Returns whether the entry cannot go on with its swap or rollback now. */
bool content_store_stalls(struct entry *entry);

/* ---- of the good set, and of what is in place -------------------------------------------------------------------- */

/* Before a swap to or from a Secret, copies what a rollback needs of the files in place. */
int content_store_keep(struct entry *entry, const struct hf_manifest_set *set, const struct hf_files_place *place,
                       struct hf_manifest_outcome *outcome);
struct secret_kept;
const struct secret_kept *content_store_kept(const struct entry *entry);
/* Whether the rollback waits for the good set's content, perhaps until the entry's due_ns. */
bool content_store_returns(struct entry *entry);
/* Whether a rollback may need a Secret's content that is not in memory. */
bool content_store_lacks(const struct entry *entry);
/* Whether an interrupted rollback must go to the newest set, because the good set's content is not in memory. */
bool content_store_goes_forward(const struct entry *entry);
bool content_store_has_good(const struct entry *entry);
/* Gets the good set's content, which the store lacks, for a repair. */
void content_store_drifted(struct entry *entry, struct hf_diff *diff);
/* Whether files in place must be compared with content that came out of the sealed copy. */
bool content_store_verifies(struct entry *entry);
void content_store_repaired(struct entry *entry);

/* ---- of the entry ------------------------------------------------------------------------------------------------ */

void content_store_begin(struct entry *entry);
void content_store_renew(struct entry *entry, bool other_source);
void content_store_check(struct entry *entry);
bool content_store_wants_cleanup(const struct entry *entry);
/* Frees what no step needs, while the entry rests. Returns true if a step has started, which ends with then(entry). */
bool content_store_settle(struct entry *entry, void (*then)(struct entry *entry));
/* Digest of the content whose sealed copy a cleanup must leave, or "". */
const char *content_store_copy(const struct entry *entry);
void content_store_swept(struct entry *entry, const char *copy);
/* Whether the API server has reported the entry's Secret deleted, so that its files must go. */
bool content_store_is_revoked(const struct entry *entry);
void content_store_removed(struct entry *entry);
void content_store_done(struct entry *entry);
