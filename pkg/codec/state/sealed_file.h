/* SPDX-License-Identifier: Apache-2.0 */
/* codec/state/sealed_file.h - loads and durably replaces small state files with a seal (codec/seal.h).
 *
 * The functions rename a damaged file to `<path>.damaged`, where a person can inspect it. If a new file at <path> is
 * damaged later, it replaces `<path>.damaged`. All functions block. Call them on worker threads, or while the agent
 * starts. */
#pragma once

#include "base/fs.h"
#include "codec/seal.h"

/* Reads <folder>/<name> into *text, which must be empty, and checks the seal; *ret_body borrows from *text. -ENOENT:
 * the file does not exist. -EBADMSG: the file was damaged or has another version, and this call has renamed it. */
HF_MUST_USE int hf_sealed_file_load(const struct hf_fs_ops *fs, const char *folder, const char *name, const char *kind,
                                    unsigned version, struct hf_buf *text, struct hf_view *ret_body,
                                    struct hf_err *err);
/* Replaces <folder>/<name> durably by `text`, which includes the seal. Makes the folder (mode 0700) if it is
 * missing. */
HF_MUST_USE int hf_sealed_file_save(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                    struct hf_view text, struct hf_err *err);
/* Removes <folder>/<name> durably. Returns 0 also if the file does not exist. */
HF_MUST_USE int hf_sealed_file_remove(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                      struct hf_err *err);
/* Renames a damaged file to <folder>/<name>.damaged. Returns -EBADMSG with the new name in *err if the rename succeeds;
 * otherwise returns the error of the rename. */
HF_MUST_USE int hf_sealed_file_set_aside(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                         struct hf_err *err);
/* Call this function when <folder>/<name> is absent. Returns -EBADMSG if <folder>/<name>.damaged exists: an earlier
 * call has set the file aside, and nothing has replaced it since, for example because the disk was full. Otherwise
 * returns -ENOENT. */
HF_MUST_USE int hf_sealed_file_explain_absence(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                               struct hf_err *err);
