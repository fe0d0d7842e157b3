/* SPDX-License-Identifier: Apache-2.0 */
/* Expands a request's compressed body.
 *
 * Against bombs, it stops at the buffer's maximum, HF_EXPAND_MAX_RATIO, and zstd windows above 8 MiB. Several gzip
 * members or zstd frames are one body. */
#pragma once

#include "base/buf.h"
#include "codec/squeeze.h"

enum {
    HF_EXPAND_MAX_RATIO = 250,      /* bytes of output for one of input */
    HF_EXPAND_RATIO_FROM = 1 << 20, /* output from which the ratio is checked */
};

/* Reads a Content-Encoding: "", "identity", "gzip", "x-gzip", "zstd", in any case. -ENOTSUP: another name, or
 * several. */
HF_MUST_USE int hf_expand_kind(struct hf_view name, enum hf_squeeze_kind *ret_kind);

/* Appends the body. -EBADMSG: damaged, incomplete, followed by other bytes, or with a window above 8 MiB. -E2BIG:
 * out->max, the ratio, or 2 GiB of input. On failure *out may have a part; *ret_what (may be NULL) is a static text. */
HF_MUST_USE int hf_expand(enum hf_squeeze_kind kind, struct hf_view packed, struct hf_buf *out, const char **ret_what);
