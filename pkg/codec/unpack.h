/* SPDX-License-Identifier: Apache-2.0 */
/* Decompresses whole artifacts piece by piece: .zst and .xz by their magic bytes, else unchanged. Refuses windows above
 * `max_window` (-E2BIG, with its value). Threads: one at a time. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

struct hf_unpack;

/* `write`: as in codec/gunzip.h. max_window 0: 32 MiB; for .zst rounded down to a power of two. */
struct hf_unpack *hf_unpack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t max_window);
void hf_unpack_free(struct hf_unpack *unpack);
HF_DEFINE_CLEANUP(struct hf_unpack, hf_unpack_free)

/* Pieces of any size. -EBADMSG: damaged. After an error, calls fail without `write`. */
HF_MUST_USE int hf_unpack_feed(struct hf_unpack *unpack, const void *bytes, size_t n, struct hf_err *err);
/* Passes the last bytes to `write`. -EBADMSG: incomplete content. Else as hf_unpack_feed(). */
HF_MUST_USE int hf_unpack_finish(struct hf_unpack *unpack, struct hf_err *err);
