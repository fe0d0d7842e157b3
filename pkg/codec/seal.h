/* SPDX-License-Identifier: Apache-2.0 */
/* Small state files begin with a header line that has a checksum. Pure. Views borrow from the text.
 *
 *     holdfast-<kind> <version> <SHA-256 of the body, lower-case hex>\n<body> */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/sha256.h"

/* Appends header and body. -E2BIG: out->max. -EINVAL: vsnprintf(). On failure *out is unchanged. */
HF_MUST_USE int hf_seal_format(const char *kind, unsigned version, struct hf_view body, struct hf_buf *out);

/* To seal a body built in `out`, call _begin (errors as above), append, call _end with *ret_body. `hex` (may be NULL)
 * gets the checksum. */
HF_MUST_USE int hf_seal_begin(const char *kind, unsigned version, struct hf_buf *out, size_t *ret_body);
void hf_seal_end(struct hf_buf *out, size_t body, char hex[HF_SHA256_HEX]);

/* Checks the header. -EBADMSG: damaged, or another kind. -EOPNOTSUPP: another version. */
HF_MUST_USE int hf_seal_open(struct hf_view text, const char *kind, unsigned version, struct hf_view *ret_body,
                             struct hf_err *err);

/* Takes a line off *remainder, and gives its value. Returns false, with the line taken, if its name is another, or the
 * value has a zero byte or no room. */
bool hf_seal_take(struct hf_view *remainder, const char *name, char *value, size_t n);
