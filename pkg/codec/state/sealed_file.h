/* SPDX-License-Identifier: Apache-2.0 */
/* Small state files with a seal (codec/seal.h). A damaged file becomes `<path>.damaged`, in place of an earlier one.
 * Blocks: for workers, or the agent's start. */
#pragma once

#include "base/fs.h"
#include "codec/seal.h"

/* Reads into the empty *text, and checks the seal; *ret_body borrows from it. -ENOENT. -EBADMSG: damaged or another
 * version, now renamed. */
HF_MUST_USE int hf_sealed_file_load(const struct hf_fs_ops *fs, const char *folder, const char *name, const char *kind,
                                    unsigned version, struct hf_buf *text, struct hf_view *ret_body,
                                    struct hf_err *err);
/* Durable. `text` includes the seal. Makes a missing folder (mode 0700). */
HF_MUST_USE int hf_sealed_file_save(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                    struct hf_view text, struct hf_err *err);
/* Durable; 0 if there is none. */
HF_MUST_USE int hf_sealed_file_remove(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                      struct hf_err *err);
/* Renames. -EBADMSG with the new name in *err, or the rename's error. */
HF_MUST_USE int hf_sealed_file_set_aside(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                         struct hf_err *err);
/* Why a file is absent. -EBADMSG: it was set aside, and nothing replaced it, as on a full disk; else -ENOENT. */
HF_MUST_USE int hf_sealed_file_explain_absence(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                               struct hf_err *err);
