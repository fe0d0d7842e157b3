/* codec/expand.h - unpacking the body of a request, whole and bounded: what codec/squeeze.h makes, and gzip and zstd of others.
 *
 * A bomb ends at the maximum of the buffer or at the ratio, whichever comes first, and costs no more than that; a zstd frame's window is
 * at most 8 MiB. Several members or frames one after the other are one body, as both formats say (RFC 1952 2.2, RFC 8878 3).
 * Threads: any; no state. */
#pragma once

#include "base/buf.h"
#include "codec/squeeze.h"

enum {
    HF_EXPAND_MAX_RATIO = 250,      /* unpacked to packed bytes ... */
    HF_EXPAND_RATIO_FROM = 1 << 20, /* ... once this much came out */
};

/* What a Content-Encoding names: "", "identity", "gzip", "x-gzip", "zstd", any case. -ENOTSUP: something else, or several. */
HF_MUST_USE int hf_expand_kind(struct hf_view name, enum hf_squeeze_kind *ret_kind);

/* Append the unpacked bytes to *out. -EBADMSG: damaged, cut off, or text behind the end; -E2BIG: more than out->max or the ratio;
 * -ENOMEM. *ret_what (may be NULL): static text. On failure *out holds what came before. */
HF_MUST_USE int hf_expand(enum hf_squeeze_kind kind, struct hf_view packed, struct hf_buf *out, const char **ret_what);
