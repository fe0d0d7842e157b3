/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/before.h - backups of files that a set takes over from somebody else: replaced by `force`, or already
 * as wanted. They stay in the state folder until the set has passed its checks, for a rollback; of contents of Secrets,
 * and of files on a tmpfs or ramfs, which may be a Secret's, only the paths. A restored file has owner, permission bits
 * and content again, but no extended attributes. Threads: workers; blocks. */
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
HF_MUST_USE int hf_files_before_forget(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
