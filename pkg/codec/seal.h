/* codec/seal.h - a header line in front of a small file, by which a reader detects damage.
 *
 *     holdfast-<kind> <version> <SHA-256 of the body, lower-case hex>\n<body>
 *
 * Used by the files of the cache (pkg/cache) and of updates (pkg/update/state). Pure: text in, text out; the callers
 * read and write the files. Threads: any. Memory: views borrow from the text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/sha256.h"

/* Appends header and body. -E2BIG: `out` is full and unchanged. */
HF_MUST_USE int hf_seal_format(const char *kind, unsigned version, struct hf_view body, struct hf_buf *out);

/* Append header and body in two steps, for a body that the caller builds in `out`: _begin appends a header with a
 * blank checksum, _end fills it in for everything after it. *ret_body is the offset of the body, for _end. `hex`
 * (may be NULL) gets the checksum. */
HF_MUST_USE int hf_seal_begin(const char *kind, unsigned version, struct hf_buf *out, size_t *ret_body);
void hf_seal_end(struct hf_buf *out, size_t body, char hex[HF_SHA256_HEX]);

/* Returns the body. -EBADMSG: damaged, or not of this kind; -EOPNOTSUPP: a valid header of another version. */
HF_MUST_USE int hf_seal_open(struct hf_view text, const char *kind, unsigned version, struct hf_view *ret_body,
                             struct hf_err *err);

/* For bodies of lines "name value": takes the next line off *remainder if it has this name and its value fits into n
 * bytes, with a terminator. False otherwise, also for a value with a zero byte. */
bool hf_seal_take(struct hf_view *remainder, const char *name, char *value, size_t n);
