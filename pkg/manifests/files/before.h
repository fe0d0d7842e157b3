/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/before.h - backups of files that did not belong to the entry and that a set takes over. A set takes
 * over a file if it replaces the file with `force`, or if the file already is as the set wants it. The backups stay in
 * the state folder until the set has passed its checks, so that a rollback can restore the files. If the set has the
 * content of a Secret, the state folder has only a list of the paths of these files. The same holds for a file on a
 * tmpfs or ramfs, whatever the set: it may be the file of a Secret. A restored file has its owner, permission bits and
 * content again, but not its extended attributes. Threads: workers; the functions block. */
#pragma once

#include "manifests/files/place.h"

/* Adds the files that the place is about to take over to the backups on disk; of those in memory, only the paths. Call
 * this function after hf_files_place_compare(). -E2BIG: the backups would be larger than a bundle may be. */
HF_MUST_USE int hf_files_before_keep(const struct hf_files_place *place, struct hf_err *err);
/* For the content of a Secret, which must not be on disk: reads two groups of files into a secret bundle. The first
 * group is all files of the entry that exist. The second group is the files that do not belong to the entry and that
 * the place is about to take over. *ret_list has the attributes of all these files, and *ret_foreign those of the
 * second group. */
HF_MUST_USE int hf_files_before_read(const struct hf_files_place *place, struct hf_bundle **ret_bundle,
                                     struct hf_inventory *ret_list, struct hf_inventory *ret_foreign,
                                     struct hf_err *err);
/* For the content of a Secret: adds the paths of the files that the place is about to take over to the list on disk,
 * without their contents. So a later process knows which files are not the entry's own, and leaves them. Call this
 * function after hf_files_place_compare(). */
HF_MUST_USE int hf_files_before_note(const struct hf_files_place *place, struct hf_err *err);
/* Returns false only if it is certain that there are neither backups nor a list of paths. */
bool hf_files_before_exist(const struct hf_fs_ops *fs, const char *folder);
/* Loads the backups. *ret_bundle has the contents; its paths are the absolute paths without the first '/'. *ret_list
 * has the absolute paths with mode and owner. Without backups, both results are empty. If a part on disk is lost, the
 * call succeeds with these results:
 *   - Only the list is damaged: the call makes a new list from the contents, with root as the owner of each file.
 *   - Only the list is missing: both results are empty. A crash came before the backups were complete, so before any
 *     file was replaced.
 *   - Only the contents are damaged, or missing as after hf_files_before_note(): the bundle is empty, and the list has
 *     its paths. These files cannot be restored, as those that are in the list and not in the bundle.
 *   - List and contents are both damaged, or one of them is damaged and the other one is missing: both results are
 *     empty, and *ret_unknown is true. There are backups, but their paths are unknown.
 * If the list or the contents cannot be read at all, the call fails, unless `lossy` is true; then it treats them as
 * damaged. */
HF_MUST_USE int hf_files_before_load(const struct hf_fs_ops *fs, const char *folder, bool lossy,
                                     struct hf_bundle **ret_bundle, struct hf_inventory *ret_list, bool *ret_unknown,
                                     struct hf_err *err);
/* Deletes the backups. */
HF_MUST_USE int hf_files_before_forget(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
