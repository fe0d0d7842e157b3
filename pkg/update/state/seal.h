/* update/state/seal.h - small files that know when they are damaged: one line `holdfast-<kind> <version> <sha256 of the rest>`, then
 * the rest. One that does not fit is set aside as `<path>.damaged` (the last one is kept). Blocks, but for _format and _open. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"

HF_MUST_USE int hf_seal_format(const char *kind, unsigned version, struct hf_view body, struct hf_buf *out);

/* The body, borrowed from text. -EBADMSG: damaged; -EOPNOTSUPP: of another version. */
HF_MUST_USE int hf_seal_open(struct hf_view text, const char *kind, unsigned version, struct hf_view *ret_body,
                             struct hf_err *err);

/* Read <folder>/<name> whole into *text (empty before) and open it. -ENOENT: none. */
HF_MUST_USE int hf_seal_load(const struct hf_fs_ops *fs, const char *folder, const char *name, const char *kind,
                             unsigned version, struct hf_buf *text, struct hf_view *ret_body, struct hf_err *err);
/* Durable replacement of <folder>/<name> by what hf_seal_format() made; makes the folder (0700). */
HF_MUST_USE int hf_seal_save(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_view text,
                             struct hf_err *err);
HF_MUST_USE int hf_seal_remove(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_err *err);
/* Returns -EBADMSG with the new name in *err, or why it could not be renamed. */
HF_MUST_USE int hf_seal_set_aside(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_err *err);

/* The next line of a sealed body, when it is "name value" and the value, with its end, fits into n bytes; takes it off *rest. */
bool hf_seal_take(struct hf_view *rest, const char *name, char *value, size_t n);
