/* SPDX-License-Identifier: Apache-2.0 */
/* Contents of Secrets in memory: part of memory.c's store, private to this folder. */
#pragma once

#include <stdbool.h>

#include "manifests/content/vault.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/inventory.h"
#include "manifests/state/record.h"

struct entry;

/* What a rollback puts back, from hf_files_before_read(). */
struct secret_kept {
    struct hf_bundle *bundle;
    struct hf_inventory list, foreign;
};

/* Zeroed: empty. */
struct secret {
    struct hf_bundle *bundle; /* NULL: only the source, or the copy, has it */
    struct secret_kept kept;
    struct vault vault;
    bool asked;   /* source restarted to deliver once more */
    bool again;   /* then repeats a refused attempt */
    bool lost;    /* files have drifted, no copy is left: the next delivery repairs them */
    bool revoked; /* the Secret is deleted, and the entry has `prune` */
};

bool secret_is(const json_t *entry);
bool secret_has(const struct entry *entry, const struct hf_manifest_set *set);
/* Worker: copies the set's content. -ENODATA: not in memory. */
int secret_bundle(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                  struct hf_err *err);
/* Takes the bundle; wipes the one before. */
void secret_put(struct entry *entry, struct hf_bundle *bundle);
/* Overwrites and frees all; no step may need it. */
void secret_wipe(struct entry *entry);
/* Worker: copies the files in place, and those that the set takes over, into memory for a rollback (paths of the latter
 * also to the state folder). Nothing if a swap was cut short: then files are of two sets. */
int secret_keep(struct entry *entry, const struct hf_files_place *place, struct hf_manifest_outcome *outcome);
/* Worker: may memory be swapped to a disk? Compressed swap in memory does not count. */
bool secret_may_be_swapped(const struct hf_fs_ops *fs);
