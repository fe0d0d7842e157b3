/* SPDX-License-Identifier: Apache-2.0 */
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

/* Splits a reference; does not check the path or the name. -EINVAL: the text begins neither with "file:" nor with
 * "env:". */
HF_MUST_USE int hf_secret_ref_parse(const char *text, struct hf_secret_ref *ret_ref);

/* Replaces the content of *out by the secret. Removes blanks and line breaks at both ends of a file's text, but not of
 * a variable's value. -E2BIG: the text of the file or variable is longer than out->max. -ENOENT: the file does not
 * exist, or the variable is not set. */
HF_MUST_USE int hf_secret_ref_read(const struct hf_secret_ref *ref, const struct hf_fs_ops *fs, struct hf_buf *out,
                                   struct hf_err *err);

/* Overwrites the bytes of the buffer with zeros, then frees them. */
void hf_secret_ref_wipe(struct hf_buf *secret);
