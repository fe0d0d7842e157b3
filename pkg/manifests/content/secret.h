/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/secret.h - contents of Secrets in memory: part of the store in memory.c, for the files of this
 * folder. Threads: loop thread only, except where a function says "worker". */
#pragma once

#include <stdbool.h>

#include "manifests/content/vault.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/inventory.h"
#include "manifests/state/record.h"

struct entry;

/* The files that a rollback puts back, as hf_files_before_read() returns them. */
struct secret_kept {
    struct hf_bundle *bundle; /* NULL: there are none */
    struct hf_inventory list, foreign;
};

/* Zeroed memory is empty. */
struct secret {
    struct hf_bundle *bundle; /* the content while the entry needs it; NULL: only the source, or the copy, has it */
    struct secret_kept kept;
    struct vault vault; /* the sealed copy */
    bool asked;         /* the source was started again to deliver the content once more, and has not done so yet */
    bool again;         /* a refused attempt is repeated when the content has come */
    bool lost;          /* files have drifted, and no copy of their content is left: the next delivery repairs them */
    bool revoked;       /* the API server has confirmed that the Secret is deleted, and the entry has `prune` */
};

bool secret_is(const json_t *entry); /* True if the content of this entry comes from a Secret. */
/* True if the content of the set is in memory. */
bool secret_has(const struct entry *entry, const struct hf_manifest_set *set);
/* Worker: copies the content of the set. -ENODATA: it is not in memory. */
int secret_bundle(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                  struct hf_err *err);
/* Puts a bundle in the place of the content in memory, and owns it. What was asked for has come. */
void secret_put(struct entry *entry, struct hf_bundle *bundle);
/* Overwrites and frees all contents. No step may need them. */
void secret_wipe(struct entry *entry);
/* Worker: copies the entry's files in place, and those that the set takes over, into memory for a rollback; of the
 * latter the paths also go to the state folder. Copies nothing if a swap was cut short: the files are then of two
 * sets. */
int secret_keep(struct entry *entry, const struct hf_files_place *place, struct hf_manifest_outcome *outcome);
/* Worker: true if the kernel may swap memory to a disk. Compressed swap in memory does not count. */
bool secret_may_be_swapped(const struct hf_fs_ops *fs);
