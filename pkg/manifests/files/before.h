/* SPDX-License-Identifier: Apache-2.0 */
/* Backups of files that a set takes over: somebody else's that `force` replaces, or that are already as wanted. In the
 * state folder until the set has passed its checks, with only the paths for Secrets and files on a tmpfs or ramfs.
 * Restores owner, permission bits and content, not extended attributes. */
#pragma once

#include "manifests/files/place.h"

/* After hf_files_place_compare(). -E2BIG: larger than a bundle. */
HF_MUST_USE int hf_files_before_keep(const struct hf_files_place *place, struct hf_err *err);
/* For Secrets: reads into a secret bundle the entry's files that exist, and files that it is about to take over.
 * *ret_list: attributes of all; *ret_foreign: of files to take over. */
HF_MUST_USE int hf_files_before_read(const struct hf_files_place *place, struct hf_bundle **ret_bundle,
                                     struct hf_inventory *ret_list, struct hf_inventory *ret_foreign,
                                     struct hf_err *err);
/* For Secrets, after hf_files_place_compare(): adds paths of what the place takes over, which a later process must
 * leave. */
HF_MUST_USE int hf_files_before_note(const struct hf_files_place *place, struct hf_err *err);
/* False: certainly no backups. */
bool hf_files_before_exist(const struct hf_fs_ops *fs, const char *folder);
/* *ret_bundle: contents, by absolute path without the first '/'. *ret_list: absolute paths with mode and owner. Both
 * empty: no backups. Losses on disk are no error:
 *   - only the list is damaged: made from the contents, with root as owner
 *   - only the list is missing: both empty; a crash came before any file was replaced
 *   - only the contents are damaged, or missing as after hf_files_before_note(): an empty bundle; these files cannot be
 *     restored
 *   - both damaged, or one damaged and one missing: both empty, *ret_unknown: backups of unknown paths
 * An error: one cannot be read at all; `lossy` treats it as damaged. */
HF_MUST_USE int hf_files_before_load(const struct hf_fs_ops *fs, const char *folder, bool lossy,
                                     struct hf_bundle **ret_bundle, struct hf_inventory *ret_list, bool *ret_unknown,
                                     struct hf_err *err);
HF_MUST_USE int hf_files_before_forget(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
