/* SPDX-License-Identifier: Apache-2.0 */
/* Where a secret is: "file:PATH" or "env:NAME". Borrows. Threads: any; reading blocks. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum hf_secret_kind { HF_SECRET_FILE = 1, HF_SECRET_ENV };

struct hf_secret_ref {
    enum hf_secret_kind kind;
    const char *name;
};

/* Checks only the form. -EINVAL: another form. */
HF_MUST_USE int hf_secret_ref_parse(const char *text, struct hf_secret_ref *ret_ref);

/* Reads the secret into *out, whose content it replaces. Trims blanks and line breaks at both ends of a file. -E2BIG.
 * -ENOENT: no such file or variable. */
HF_MUST_USE int hf_secret_ref_read(const struct hf_secret_ref *ref, const struct hf_fs_ops *fs, struct hf_buf *out,
                                   struct hf_err *err);
