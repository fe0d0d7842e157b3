/* update/state/sealed_file.h - small state files with a seal (codec/seal.h): durable replacement, and damaged ones set
 * aside.
 *
 * A damaged file is renamed to `<path>.damaged`; the last one stays there for a person to look at. All functions block:
 * worker threads, or the start of the agent. */
#pragma once

#include "base/fs.h"
#include "codec/seal.h"

/* Reads <folder>/<name> into *text (empty before) and opens the seal; the body borrows from *text. -ENOENT: no such
 * file. -EBADMSG: damaged or of another version, and set aside. */
HF_MUST_USE int hf_sealed_file_load(const struct hf_fs_ops *fs, const char *folder, const char *name, const char *kind,
                                    unsigned version, struct hf_buf *text, struct hf_view *ret_body,
                                    struct hf_err *err);
/* Replaces <folder>/<name> durably by sealed text; makes the folder (0700) if it is missing. */
HF_MUST_USE int hf_sealed_file_save(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                    struct hf_view text, struct hf_err *err);
/* Removes the file durably. A missing file is no error. */
HF_MUST_USE int hf_sealed_file_remove(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                      struct hf_err *err);
/* Renames a damaged file. Returns -EBADMSG with the new name in *err, or the error of the rename. */
HF_MUST_USE int hf_sealed_file_set_aside(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                         struct hf_err *err);
