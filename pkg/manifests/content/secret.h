/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/secret.h - the content of Secrets, which is in memory only. */
#pragma once

#include "codec/json.h"
#include "manifests/files/place.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/record.h"

struct entry;

bool secret_is(const json_t *entry); /* Returns true if the content of this entry comes from a Secret. */
/* Returns true if the content of the set is in memory. */
bool secret_has(const struct entry *entry, const struct hf_manifest_set *set);
/* Copies the content of the set. -ENODATA: the content is not in memory. Called on a worker. */
int secret_bundle(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                  struct hf_err *err);
/* Overwrites and frees all secret contents. Call this function when the entry has no step that needs them. */
void secret_wipe(struct entry *entry);
/* Prepares a rollback, if the set or the good set has the content of a Secret: copies into memory the entry's files
 * that are in place, and the files that the set takes over. Writes the paths of the files that the set takes over to
 * the state folder. If a swap was cut short, copies no files, because the files in place are then of two sets. Called
 * on a worker. */
int secret_keep(struct entry *entry, const struct hf_files_place *place, struct hf_manifest_outcome *outcome);
/* Returns true if the kernel may swap memory to a disk (compressed swap in memory does not count). Called on a
 * worker. */
bool secret_may_be_swapped(const struct hf_fs_ops *fs);
