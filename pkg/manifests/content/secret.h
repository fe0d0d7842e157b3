/* SPDX-License-Identifier: Apache-2.0 */
/* A Secret's content in memory: part of memory.c's store. secret_bundle(), secret_keep() and secret_may_be_swapped()
 * run on workers. */
#pragma once

#include <stdbool.h>

#include "manifests/content/vault.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/inventory.h"
#include "manifests/state/record.h"

struct entry;

/* What a rollback puts back: results of hf_files_before_read(). */
struct secret_kept {
    struct hf_bundle *bundle;
    struct hf_inventory list, foreign;
};

struct secret {
    struct hf_bundle *bundle; /* NULL: only the source or the sealed copy has the content */
    struct secret_kept kept;
    struct vault vault;
    bool asked;   /* the source is to deliver the content once more */
    bool again;   /* a refused attempt is repeated once the content comes */
    bool lost;    /* files have drifted, and the next delivery repairs them */
    bool revoked; /* the Secret was deleted, and its files must go (`prune`) */
};

bool secret_is(const json_t *entry);
bool secret_has(const struct entry *entry, const struct hf_manifest_set *set);
/* Copies the set's content. -ENODATA: not in memory. */
int secret_bundle(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                  struct hf_err *err);
void secret_put(struct entry *entry, struct hf_bundle *bundle);
/* Overwrites and frees the content and what a rollback needs. */
void secret_wipe(struct entry *entry);
/* Copies into memory, for a rollback, the entry's files and those that the set takes over. Copies nothing if no file
 * changes, or after an interrupted swap. */
int secret_keep(struct entry *entry, const struct hf_files_place *place, struct hf_manifest_outcome *outcome);
/* Whether /proc/swaps has a swap other than zram. */
bool secret_may_be_swapped(const struct hf_fs_ops *fs);
