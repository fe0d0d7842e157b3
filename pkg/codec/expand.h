/* codec/expand.h - expands the compressed body of a request, whole and bounded: the output of codec/squeeze.h, and gzip
 * and zstd of others.
 *
 * A bomb ends at the maximum of the buffer or at the ratio, whichever comes first, and costs no more than that; a zstd
 * frame's window is at most 8 MiB. Several members or frames in a row are one body (RFC 1952 2.2, RFC 8878 3).
 * Threads: any; no state. Memory: grows the caller's buffer. Errors: below. */
#pragma once

#include "base/buf.h"
#include "codec/squeeze.h"

enum {
    HF_EXPAND_MAX_RATIO = 250,      /* highest ratio of expanded to compressed bytes ... */
    HF_EXPAND_RATIO_FROM = 1 << 20, /* ... checked after this many expanded bytes */
};

/* Returns the kind of a Content-Encoding: "", "identity", "gzip", "x-gzip", "zstd", in any case. -ENOTSUP: another
 * one, or several. */
HF_MUST_USE int hf_expand_kind(struct hf_view name, enum hf_squeeze_kind *ret_kind);

/* Appends the expanded bytes to *out. -EBADMSG: damaged, cut off, or followed by other bytes; -E2BIG: beyond out->max
 * or the ratio; -ENOMEM. *ret_what (may be NULL): static text. On failure *out holds the bytes before the fault. */
HF_MUST_USE int hf_expand(enum hf_squeeze_kind kind, struct hf_view packed, struct hf_buf *out, const char **ret_what);
