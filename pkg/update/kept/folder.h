/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to pkg/update/kept: the folder `.holdfast-<release>.kept` beside the target.
 *
 *     <sha256>.link    a second name of the installed file, or of each of the tree's: costs no content
 *     <sha256>.clone   a reflink: costs nothing until one of the two changes
 *     <sha256>.copy
 *
 * For a File a file, for a Tree a folder like it (sha256: its archive's). Unfinished: with `.new` behind it. Workers
 * only; blocks. */
#pragma once

#include "update/kept/kept.h"

enum { KEPT_NAME = HF_SHA256_HEX + 16 };

/* `make`: makes a missing folder. A folder of another owner, or that others may enter: -ENOENT, or with `make`
 * -EPERM. */
HF_MUST_USE int kept_open(const struct hf_target_dir *dir, bool make, struct hf_failure *failure);

/* `form`: COPY, CLONE or LINK. Returns `name`. */
const char *kept_name(const char *sha256, enum hf_kept_source form, char name[KEPT_NAME]);
/* There is an entry of this form and kind. */
bool kept_is(const struct hf_fs_ops *fs, int kept_fd, enum hf_install_kind kind, const char *sha256,
             enum hf_kept_source form, struct stat *ret);
int kept_remove(const struct hf_fs_ops *fs, int kept_fd, const char *name);

/* Fills the empty `to_fd`: shares content, or copies it if `copy`. Returns the form; -EOPNOTSUPP: needs a copy. */
HF_MUST_USE int kept_fill(const struct hf_fs_ops *fs, int from_fd, int to_fd, bool copy, const atomic_bool *cancel);

/* Makes `name` like `tree_fd`, by links, or by kept_fill() with `copies`. Returns the form. -EOPNOTSUPP: has what
 * cannot be kept so. After an error a part may be there. */
HF_MUST_USE int kept_mirror(const struct hf_fs_ops *fs, int tree_fd, int kept_fd, const char *name,
                            enum hf_kept_source form, const atomic_bool *cancel);
/* True if the mirror's first file is a hard link to the tree's, or the mirror has no file. */
bool kept_mirror_is_shared(const struct hf_fs_ops *fs, int tree_fd, int mirror_fd);

/* Canonical archive of `top_fd` into the empty `fd`. -EBADMSG: longer than `size`: the tree has changed. A shorter one
 * shows only by its hash. */
HF_MUST_USE int kept_archive(const struct hf_fs_ops *fs, int top_fd, uint64_t size, int fd, const atomic_bool *cancel,
                             struct hf_failure *failure);
