/* codec/squeeze.h - compresses the bodies of requests: small, fast, the same bytes each time.
 *
 *     hf_squeeze_begin(squeeze, &body); hf_squeeze_add(squeeze, bytes, n) ...; hf_squeeze_end(squeeze);
 *
 * One object makes frame after frame and keeps its context in between; free it before a longer pause.
 * The window is 128 KiB (zstd) or 32 KiB (gzip): about 0.6 MiB of memory, 0.3 for gzip. Deterministic for the same
 * pieces and library.
 * Threads: one at a time. Errors: 0, -E2BIG (the buffer's maximum), -ENOMEM, -EIO (the library fails). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum hf_squeeze_kind { HF_SQUEEZE_NONE, HF_SQUEEZE_GZIP, HF_SQUEEZE_ZSTD };

/* Name of the kind as in Content-Encoding; NULL for no compression. */
const char *hf_squeeze_name(enum hf_squeeze_kind kind);

struct hf_squeeze;
struct hf_squeeze *hf_squeeze_new(enum hf_squeeze_kind kind); /* NULL on OOM */
void hf_squeeze_free(struct hf_squeeze *squeeze);
HF_DEFINE_CLEANUP(struct hf_squeeze, hf_squeeze_free)

/* Starts a frame and appends it to *out (borrowed until the end). Discards an unfinished frame. */
HF_MUST_USE int hf_squeeze_begin(struct hf_squeeze *squeeze, struct hf_buf *out);
HF_MUST_USE int hf_squeeze_add(struct hf_squeeze *squeeze, const void *bytes, size_t n);
HF_MUST_USE int hf_squeeze_end(struct hf_squeeze *squeeze);
/* Returns the number of bytes added since the frame began. */
size_t hf_squeeze_fed(const struct hf_squeeze *squeeze);
