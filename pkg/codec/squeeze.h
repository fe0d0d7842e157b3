/* SPDX-License-Identifier: Apache-2.0 */
/* codec/squeeze.h - compresses the bodies of requests with little memory and time.
 *
 *     hf_squeeze_begin(squeeze, &body); hf_squeeze_add(squeeze, bytes, n) ...; hf_squeeze_end(squeeze);
 *
 * One object makes any number of frames, one after the other. It keeps its memory between frames, so free the object if
 * you do not need it for some time. Memory: about 0.6 MiB for zstd (window 128 KiB), about 0.3 MiB for gzip (window 32
 * KiB). With one version of the compression library, the same body always gives the same compressed bytes, in whatever
 * pieces the caller adds the body. Threads: one at a time. Errors: 0, -E2BIG (the output would exceed out->max),
 * -ENOMEM or -EIO (the library failed). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum hf_squeeze_kind { HF_SQUEEZE_NONE, HF_SQUEEZE_GZIP, HF_SQUEEZE_ZSTD };

/* Returns the name of the kind for the header Content-Encoding, or NULL for HF_SQUEEZE_NONE. */
const char *hf_squeeze_name(enum hf_squeeze_kind kind);

struct hf_squeeze;
struct hf_squeeze *hf_squeeze_new(enum hf_squeeze_kind kind); /* returns NULL on OOM */
void hf_squeeze_free(struct hf_squeeze *squeeze);
HF_DEFINE_CLEANUP(struct hf_squeeze, hf_squeeze_free)

/* Starts a frame, which hf_squeeze_add() and hf_squeeze_end() append to *out. Borrows `out` until hf_squeeze_end().
 * Abandons the previous frame if it was not ended. */
HF_MUST_USE int hf_squeeze_begin(struct hf_squeeze *squeeze, struct hf_buf *out);
HF_MUST_USE int hf_squeeze_add(struct hf_squeeze *squeeze, const void *bytes, size_t n);
HF_MUST_USE int hf_squeeze_end(struct hf_squeeze *squeeze);
/* Returns the number of bytes that hf_squeeze_add() got since the frame began. */
size_t hf_squeeze_fed(const struct hf_squeeze *squeeze);
