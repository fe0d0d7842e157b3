/* update/state/sealed_file.h - loads and durably replaces small state files with a seal (codec/seal.h).
 *
 * The functions rename a damaged file to `<path>.damaged`, where the latest damaged file stays for a person to inspect.
 * All functions block. Call them on worker threads, or while the agent starts. */
#pragma once

#include "base/fs.h"
#include "codec/seal.h"

/* Reads <folder>/<name> into *text, which must be empty, and checks the seal; *ret_body borrows from *text. -ENOENT: no
 * such file. -EBADMSG: the file was damaged or of another version, and is now set aside. */
HF_MUST_USE int hf_sealed_file_load(const struct hf_fs_ops *fs, const char *folder, const char *name, const char *kind,
                                    unsigned version, struct hf_buf *text, struct hf_view *ret_body,
                                    struct hf_err *err);
/* Replaces <folder>/<name> durably by `text`, which has a seal already. Makes the folder (mode 0700) if it is
 * missing. */
HF_MUST_USE int hf_sealed_file_save(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                    struct hf_view text, struct hf_err *err);
/* Removes the file durably. A missing file is no error. */
HF_MUST_USE int hf_sealed_file_remove(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                      struct hf_err *err);
/* Renames a damaged file. After success returns -EBADMSG with the new name in *err; otherwise the error of the
 * rename. */
HF_MUST_USE int hf_sealed_file_set_aside(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                         struct hf_err *err);
