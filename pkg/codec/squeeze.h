/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses request bodies with little memory and time. -E2BIG: out->max. -EIO: the library failed.
 *
 * Makes many frames in the same memory: about 0.6 MiB for zstd (window 128 KiB), 0.3 MiB for gzip (32 KiB). */
#pragma once

#include "base/buf.h"

enum hf_squeeze_kind { HF_SQUEEZE_NONE, HF_SQUEEZE_GZIP, HF_SQUEEZE_ZSTD };

/* Returns the Content-Encoding; NULL for HF_SQUEEZE_NONE. */
const char *hf_squeeze_name(enum hf_squeeze_kind kind);

struct hf_squeeze;
struct hf_squeeze *hf_squeeze_new(enum hf_squeeze_kind kind);
void hf_squeeze_free(struct hf_squeeze *squeeze);
HF_DEFINE_CLEANUP(struct hf_squeeze, hf_squeeze_free)

/* Begins a frame, and drops an unfinished one. Borrows `out` until _end. */
HF_MUST_USE int hf_squeeze_begin(struct hf_squeeze *squeeze, struct hf_buf *out);
HF_MUST_USE int hf_squeeze_add(struct hf_squeeze *squeeze, const void *bytes, size_t n);
HF_MUST_USE int hf_squeeze_end(struct hf_squeeze *squeeze);
