/* SPDX-License-Identifier: Apache-2.0 */
/* Header line with a checksum, for small state files. Pure. Views borrow from the text.
 *
 *     holdfast-<kind> <version> <SHA-256 of the body, lower-case hex>\n<body> */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/sha256.h"

/* -E2BIG: out->max. -EINVAL: vsnprintf(). On failure *out is unchanged. */
HF_MUST_USE int hf_seal_format(const char *kind, unsigned version, struct hf_view body, struct hf_buf *out);

/* For a body built in `out`: _begin (errors as above), append, _end with *ret_body. `hex` (may be NULL): checksum. */
HF_MUST_USE int hf_seal_begin(const char *kind, unsigned version, struct hf_buf *out, size_t *ret_body);
void hf_seal_end(struct hf_buf *out, size_t body, char hex[HF_SHA256_HEX]);

/* -EBADMSG: damaged, or another kind. -EOPNOTSUPP: another version. */
HF_MUST_USE int hf_seal_open(struct hf_view text, const char *kind, unsigned version, struct hf_view *ret_body,
                             struct hf_err *err);

/* Takes the line `name value` from *remainder. False: no line, another name, no room, or a zero byte; the line is taken
 * anyway. */
bool hf_seal_take(struct hf_view *remainder, const char *name, char *value, size_t n);
