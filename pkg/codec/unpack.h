/* SPDX-License-Identifier: Apache-2.0 */
/* codec/unpack.h - decompresses whole-file artifacts piece by piece. Recognizes .zst and .xz by their magic bytes, and
 * passes other content to the output unchanged. Memory is bounded, because the functions refuse content whose window
 * needs more than `max_window` bytes (-E2BIG; the error states the value of `max_window`). Threads: one at a time.
 * Errors: 0 or -errno; *err has the cause. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

struct hf_unpack;

/* `write` gets the unpacked bytes in order; it returns 0, or -errno to end the decompression with that error.
 * `max_window` is in bytes (0 means 32 MiB); for .zst, it is rounded down to a power of two. Returns NULL on OOM. */
struct hf_unpack *hf_unpack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t max_window);
void hf_unpack_free(struct hf_unpack *unpack);
HF_DEFINE_CLEANUP(struct hf_unpack, hf_unpack_free)

/* Takes compressed bytes, in pieces of any size. -EBADMSG: the content is damaged. -E2BIG: the content needs a larger
 * window than `max_window`. Also returns -ENOMEM and the errors of `write`. After an error, further calls fail and do
 * not call `write`. */
HF_MUST_USE int hf_unpack_feed(struct hf_unpack *unpack, const void *bytes, size_t n, struct hf_err *err);
/* Ends the input and passes the last unpacked bytes to `write`. -EBADMSG: the compressed content is incomplete. Also
 * returns the errors of hf_unpack_feed(). */
HF_MUST_USE int hf_unpack_finish(struct hf_unpack *unpack, struct hf_err *err);
