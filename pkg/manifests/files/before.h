/* SPDX-License-Identifier: Apache-2.0 */
/* Backups of files that a set takes over from somebody else: replaced by `force`, or already as wanted. In the state
 * folder until the set has passed its checks, for a rollback; of contents of Secrets, and of files on a tmpfs or ramfs,
 * only the paths. Owner, permission bits and content come back, extended attributes do not. Threads: workers;
 * blocks. */
#pragma once

#include "manifests/files/place.h"

/* After hf_files_place_compare(): adds what the place is about to take over; of what is in memory only paths. -E2BIG:
 * larger than a bundle. */
HF_MUST_USE int hf_files_before_keep(const struct hf_files_place *place, struct hf_err *err);
/* Contents of Secrets: reads the entry's files that exist, and those it is about to take over, into a secret bundle.
 * *ret_list: attributes of all; *ret_foreign: of the latter. */
HF_MUST_USE int hf_files_before_read(const struct hf_files_place *place, struct hf_bundle **ret_bundle,
                                     struct hf_inventory *ret_list, struct hf_inventory *ret_foreign,
                                     struct hf_err *err);
/* Contents of Secrets, after hf_files_place_compare(): adds the paths of what the place is about to take over, so that
 * a later process leaves these files. */
HF_MUST_USE int hf_files_before_note(const struct hf_files_place *place, struct hf_err *err);
/* False: certainly neither backups nor a list of paths. */
bool hf_files_before_exist(const struct hf_fs_ops *fs, const char *folder);
/* *ret_bundle: the contents, by absolute path without the first '/'. *ret_list: absolute paths with mode and owner.
 * Both are empty without backups. What is lost on disk is no error:
 *   - only the list is damaged: it is made anew from the contents, with root as owner
 *   - only the list is missing: both are empty; a crash came before any file was replaced
 *   - only the contents are damaged, or missing as after hf_files_before_note(): an empty bundle; what is in the list
 *     alone cannot be restored
 *   - both are damaged, or one damaged and the other missing: both are empty, *ret_unknown: there are backups, but of
 *     unknown paths
 * An error: one cannot be read at all, unless `lossy`, which treats it as damaged. */
HF_MUST_USE int hf_files_before_load(const struct hf_fs_ops *fs, const char *folder, bool lossy,
                                     struct hf_bundle **ret_bundle, struct hf_inventory *ret_list, bool *ret_unknown,
                                     struct hf_err *err);
HF_MUST_USE int hf_files_before_forget(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
