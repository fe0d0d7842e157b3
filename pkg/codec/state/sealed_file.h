/* SPDX-License-Identifier: Apache-2.0 */
/* Small state files with a seal (codec/seal.h). A damaged file is set aside: renamed to `<path>.damaged`, in place of
 * an earlier one. Saves and removals are durable. Blocks. */
#pragma once

#include "base/fs.h"
#include "codec/seal.h"

/* Reads a file into the empty *text, and checks its seal; *ret_body borrows from *text. -ENOENT. -EBADMSG: damaged or
 * another version, and now set aside. */
HF_MUST_USE int hf_sealed_file_load(const struct hf_fs_ops *fs, const char *folder, const char *name, const char *kind,
                                    unsigned version, struct hf_buf *text, struct hf_view *ret_body,
                                    struct hf_err *err);
/* `text` includes the seal. Makes a missing folder (mode 0700). */
HF_MUST_USE int hf_sealed_file_save(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                    struct hf_view text, struct hf_err *err);
/* Returns 0 also if the file is absent. */
HF_MUST_USE int hf_sealed_file_remove(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                      struct hf_err *err);
/* Returns -EBADMSG, with the new name in *err, or the error of a step. */
HF_MUST_USE int hf_sealed_file_set_aside(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                         struct hf_err *err);
/* Returns why a file is absent. -EBADMSG: it was set aside, and nothing has replaced it, as on a full disk. -ENOENT: it
 * was not. */
HF_MUST_USE int hf_sealed_file_explain_absence(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                               struct hf_err *err);
