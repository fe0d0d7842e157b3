/* SPDX-License-Identifier: Apache-2.0 */
/* Backups of files that a set takes over: somebody else's files, which `force` replaces or which are already as wanted.
 * They stay in the state folder until the attempt has ended; for Secrets, and files on a tmpfs or ramfs, only as paths.
 * A rollback restores owner, permission bits and content, if kept. */
#pragma once

#include "manifests/files/place.h"

/* Backs up what the set takes over. Call it after hf_files_place_compare(). -E2BIG: larger than a bundle. */
HF_MUST_USE int hf_files_before_keep(const struct hf_files_place *place, struct hf_err *err);
/* Reads, for a Secret, the entry's files and those that it will take over into a secret bundle. *ret_list: attributes
 * of all; *ret_foreign: of those to take over. */
HF_MUST_USE int hf_files_before_read(const struct hf_files_place *place, struct hf_bundle **ret_bundle,
                                     struct hf_inventory *ret_list, struct hf_inventory *ret_foreign,
                                     struct hf_err *err);
/* Saves, for a Secret, the paths of files that it takes over, which a later process must leave. Call it after
 * hf_files_place_compare(). */
HF_MUST_USE int hf_files_before_note(const struct hf_files_place *place, struct hf_err *err);
bool hf_files_before_exist(const struct hf_fs_ops *fs, const char *folder);
/* Loads the backups; without any, both results are empty. *ret_bundle: contents, by absolute path without the first
 * '/'. *ret_list: absolute paths with mode and owner. Losses on disk are no error:
 *   - list damaged: made from the contents, with root as owner
 *   - list missing: both empty; a crash came before any file was replaced
 *   - contents damaged, or missing as after hf_files_before_note(): an empty bundle; these files cannot be restored
 *   - both damaged, or one damaged and one missing: both empty, *ret_unknown is set
 * Fails if list or contents cannot be read; `lossy` treats that as damage. */
HF_MUST_USE int hf_files_before_load(const struct hf_fs_ops *fs, const char *folder, bool lossy,
                                     struct hf_bundle **ret_bundle, struct hf_inventory *ret_list, bool *ret_unknown,
                                     struct hf_err *err);
HF_MUST_USE int hf_files_before_forget(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
