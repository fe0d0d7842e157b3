/* SPDX-License-Identifier: Apache-2.0 */
/* codec/expand.h - expands the compressed body of a request in one call, up to a maximum size. Accepts the output of
 * codec/squeeze.h, and gzip and zstd data that other programs made.
 *
 * hf_expand() guards against decompression bombs: it stops as soon as the output would exceed the buffer's maximum, or
 * the ratio of output to input reaches HF_EXPAND_MAX_RATIO. hf_expand() also refuses zstd frames with a window above 8
 * MiB. Several gzip members or zstd frames in a row are one body (RFC 1952 2.2, RFC 8878 3). Threads: any; no state.
 * Memory: grows the caller's buffer. Errors: see each function. */
#pragma once

#include "base/buf.h"
#include "codec/squeeze.h"

enum {
    /* ratio of the number of expanded bytes to the number of compressed bytes at which hf_expand() stops */
    HF_EXPAND_MAX_RATIO = 250,
    HF_EXPAND_RATIO_FROM = 1 << 20, /* hf_expand() checks the ratio only after this number of expanded bytes */
};

/* Finds the kind for the value `name` of a header Content-Encoding: "", "identity", "gzip", "x-gzip" or "zstd", in
 * upper or lower case. -ENOTSUP: the value is another encoding, or more than one. */
HF_MUST_USE int hf_expand_kind(struct hf_view name, enum hf_squeeze_kind *ret_kind);

/* Appends the expanded bytes to *out. -EBADMSG: the input is damaged or cut off, other bytes follow the compressed
 * body, or a zstd frame has a window above 8 MiB. -E2BIG: the output would exceed out->max, the ratio reaches
 * HF_EXPAND_MAX_RATIO, or the input has 2 GiB or more. -ENOMEM: out of memory. On failure, *out also holds the bytes
 * that the function expanded before the fault, and *ret_what is a static text about the fault. `ret_what` may be
 * NULL. */
HF_MUST_USE int hf_expand(enum hf_squeeze_kind kind, struct hf_view packed, struct hf_buf *out, const char **ret_what);
