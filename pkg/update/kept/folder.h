/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to pkg/update/kept: the folder `.holdfast-<release>.kept` beside the target.
 *
 *     <sha256>.link    a hard link to the installed file, or to each of the tree's: costs no content
 *     <sha256>.clone   a reflink: costs nothing until one of the two changes
 *     <sha256>.copy
 *
 * An entry is a file, or for kind Tree a folder like the tree (<sha256>: its archive's). Unfinished entries end in
 * `.new`. Workers only. */
#pragma once

#include "update/kept/kept.h"

enum { KEPT_NAME = HF_SHA256_HEX + 16 };

/* Opens the folder; `make`: makes a missing one. Refuses a folder of another owner, or open to others: -ENOENT, or with
 * `make` -EPERM. */
HF_MUST_USE int kept_open(const struct hf_target_dir *dir, bool make, struct hf_failure *failure);

/* `form`: COPY, CLONE or LINK. Returns `name`. */
const char *kept_name(const char *sha256, enum hf_kept_source form, char name[KEPT_NAME]);
bool kept_is(const struct hf_fs_ops *fs, int kept_fd, enum hf_install_kind kind, const char *sha256,
             enum hf_kept_source form, struct stat *ret);
int kept_remove(const struct hf_fs_ops *fs, int kept_fd, const char *name);

/* Fills the empty `to_fd` by a reflink, or where that fails and `copy` is true by a copy. Returns the form;
 * -EOPNOTSUPP: needs a copy. */
HF_MUST_USE int kept_fill(const struct hf_fs_ops *fs, int from_fd, int to_fd, bool copy, const atomic_bool *cancel);

/* Makes the folder `name` like `tree_fd`, with hard links (form LINK, or a file with several) or kept_fill().
 * -EOPNOTSUPP: no reflink is possible, or the tree has a special file. After an error a part may be there. */
HF_MUST_USE int kept_mirror(const struct hf_fs_ops *fs, int tree_fd, int kept_fd, const char *name,
                            enum hf_kept_source form, const atomic_bool *cancel);
/* Whether the mirror's first file is a hard link to the tree's, or the mirror has no file. */
bool kept_mirror_is_shared(const struct hf_fs_ops *fs, int tree_fd, int mirror_fd);

/* Writes the canonical archive of `top_fd` into the empty `fd`. -EBADMSG: the tree has changed, e.g. it is longer than
 * `size`. A shorter archive shows only by its hash. */
HF_MUST_USE int kept_archive(const struct hf_fs_ops *fs, int top_fd, uint64_t size, int fd, const atomic_bool *cancel,
                             struct hf_failure *failure);
