/* codec/unpack.h - decompresses whole-file artifacts as a stream: .zst and .xz, recognised by their magic bytes;
 * anything else passes through. Memory is bounded: refuses a frame that needs a window above `max_window` (-E2BIG;
 * the error names the window). Threads: one at a time. Errors: 0 or -errno, *err says why. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

struct hf_unpack;

/* `write` gets the unpacked bytes in order; it returns 0, or -errno to end the decompression with that error. NULL on
 * OOM. max_window: bytes of decoder memory, 0: 32 MiB. */
struct hf_unpack *hf_unpack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t max_window);
void hf_unpack_free(struct hf_unpack *unpack);
HF_DEFINE_CLEANUP(struct hf_unpack, hf_unpack_free)

/* Takes compressed bytes, in pieces of any size. -EBADMSG: damaged; or the error of `write`. After an error nothing
 * more is written. */
HF_MUST_USE int hf_unpack_feed(struct hf_unpack *unpack, const void *bytes, size_t n, struct hf_err *err);
/* Ends the input. -EBADMSG: it ended in the middle. */
HF_MUST_USE int hf_unpack_finish(struct hf_unpack *unpack, struct hf_err *err);
