/* SPDX-License-Identifier: Apache-2.0 */
/* codec/seal.h - formats and checks the header line of a small file. The header has a checksum of the file's body, so
 * that a decoder detects damage.
 *
 *     holdfast-<kind> <version> <SHA-256 of the body, lower-case hex>\n<body>
 *
 * Most small state files have this header: for example, the files of the cache (pkg/cache) and of updates
 * (pkg/update/state). Pure: text in, text out; the callers read and write the files. Threads: any. Memory: views borrow
 * from the text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/sha256.h"

/* Appends header and body. -E2BIG: header and body would exceed out->max. -ENOMEM: out of memory. -EINVAL: vsnprintf()
 * failed. On failure *out is unchanged. */
HF_MUST_USE int hf_seal_format(const char *kind, unsigned version, struct hf_view body, struct hf_buf *out);

/* Append header and body in two steps, for a body that the caller builds in `out`. _begin appends a header with a blank
 * checksum, and sets *ret_body to the offset in `out` at which the body begins. _begin returns 0 or the errors of
 * hf_seal_format(). Then append the body, and pass the offset to _end as `body`. _end computes the checksum of
 * everything after the header, and writes the checksum into the header. `hex` receives the checksum; `hex` may be
 * NULL. */
HF_MUST_USE int hf_seal_begin(const char *kind, unsigned version, struct hf_buf *out, size_t *ret_body);
void hf_seal_end(struct hf_buf *out, size_t body, char hex[HF_SHA256_HEX]);

/* Checks the header and returns the body. -EBADMSG: the text is damaged, or its header has another kind. -EOPNOTSUPP:
 * the header has another version. */
HF_MUST_USE int hf_seal_open(struct hf_view text, const char *kind, unsigned version, struct hf_view *ret_body,
                             struct hf_err *err);

/* Reads the next line of a body with lines of the form `name value`, and removes this line from *remainder, the unread
 * part of the body. Copies the value and a terminator to value[n]. Returns false if no line is left, the line has
 * another name, the value and its terminator need more than n bytes, or the line holds a zero byte. If there was a
 * line, the function removes the line in these cases too. */
bool hf_seal_take(struct hf_view *remainder, const char *name, char *value, size_t n);
