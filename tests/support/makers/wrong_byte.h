/* SPDX-License-Identifier: Apache-2.0 */
/* support/wrong_byte.h - a patch with any one byte wrong, or cut short anywhere: it ends in a named error or in the right file, and
 * never holds more memory than its format's documentation allows. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "delta/delta.h"

struct wrong_byte {
    const char *name;
    const struct hf_buf *patch, *right; /* right: what the patch as it is makes */
    int (*apply)(const struct wrong_byte *w, const struct hf_delta_in *patch, const struct hf_delta_out *out,
                 struct hf_err *err);
    const void *ctx;
    const int *also;      /* errors that may come beside those of delta.h, ending with 0; NULL: none */
    long long memory_max; /* of all that is allocated at any moment; looked at where the address sanitizer counts */
};

/* What is tried is tried in so many parts: several when HF_CORRUPT is set, for Check cannot tell of a test that takes more than half an
 * hour; else one. */
unsigned wrong_byte_parts(void);

/* All 255 other values of every byte, and every length, when HF_CORRUPT is set; else some of them, more of a header's.
 * Of those the given part, from 0. Prints how many were tried. */
void wrong_byte_try(const struct wrong_byte *w, unsigned part);
