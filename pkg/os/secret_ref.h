/* os/secret_ref.h - a reference to a secret: the text "file:PATH" or "env:NAME" in a policy or an option.
 *
 * Threads: any; reading blocks.  Memory: a parsed reference borrows from its text; the caller owns the buffer that
 * receives the secret and frees it with hf_secret_ref_wipe().  Errors: 0 or -errno. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum hf_secret_kind { HF_SECRET_FILE = 1, HF_SECRET_ENV };

struct hf_secret_ref {
    enum hf_secret_kind kind;
    const char *name; /* the path, or the name of the variable */
};

/* Splits a reference; does not check the path or the name. -EINVAL: the text has neither prefix. */
HF_MUST_USE int hf_secret_ref_parse(const char *text, struct hf_secret_ref *ret_ref);

/* Replaces *out with the secret, bounded by out->max: -E2BIG. Blanks and line breaks around a file's text do not
 * belong to the secret; the value of a variable is taken as it is. -ENOENT: no such file, or the variable is not
 * set. */
HF_MUST_USE int hf_secret_ref_read(const struct hf_secret_ref *ref, const struct hf_fs_ops *fs, struct hf_buf *out,
                                   struct hf_err *err);

/* Overwrites the bytes with zeros, then frees them. */
void hf_secret_ref_wipe(struct hf_buf *secret);
