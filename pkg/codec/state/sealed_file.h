/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and durably replaces small state files with a seal (codec/seal.h).
 *
 * A damaged file becomes `<path>.damaged`, for a person to inspect, in place of an earlier one. Blocks: call it on
 * workers, or while the agent starts. */
#pragma once

#include "base/fs.h"
#include "codec/seal.h"

/* Reads <folder>/<name> into *text, which must be empty, and checks the seal; *ret_body borrows from *text. -ENOENT: no
 * such file. -EBADMSG: it was damaged or has another version, and is now renamed. */
HF_MUST_USE int hf_sealed_file_load(const struct hf_fs_ops *fs, const char *folder, const char *name, const char *kind,
                                    unsigned version, struct hf_buf *text, struct hf_view *ret_body,
                                    struct hf_err *err);
/* Replaces the file durably by `text`, which includes the seal. Makes a missing folder (mode 0700). */
HF_MUST_USE int hf_sealed_file_save(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                    struct hf_view text, struct hf_err *err);
/* Durable. Returns 0 also if the file does not exist. */
HF_MUST_USE int hf_sealed_file_remove(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                      struct hf_err *err);
/* Renames a damaged file. Returns -EBADMSG with the new name in *err, or the error of the rename. */
HF_MUST_USE int hf_sealed_file_set_aside(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                         struct hf_err *err);
/* If the file is absent: -EBADMSG if it was set aside, and nothing has replaced it since, as on a full disk; else
 * -ENOENT. */
HF_MUST_USE int hf_sealed_file_explain_absence(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                               struct hf_err *err);
