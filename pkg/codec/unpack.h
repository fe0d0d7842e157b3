/* SPDX-License-Identifier: Apache-2.0 */
/* Decompresses artifacts piece by piece: .zst and .xz, known by their first bytes; anything else stays unchanged.
 * -E2BIG: too large a window for `max_window`. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

struct hf_unpack;

/* `write`: see codec/gunzip.h. max_window 0: 32 MiB; .zst rounds it down to a power of two. */
struct hf_unpack *hf_unpack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t max_window);
void hf_unpack_free(struct hf_unpack *unpack);
HF_DEFINE_CLEANUP(struct hf_unpack, hf_unpack_free)

/* -EBADMSG: damaged. After an error all calls fail. */
HF_MUST_USE int hf_unpack_feed(struct hf_unpack *unpack, const void *bytes, size_t n, struct hf_err *err);
/* Passes the last bytes on. -EBADMSG also if the data is incomplete. */
HF_MUST_USE int hf_unpack_finish(struct hf_unpack *unpack, struct hf_err *err);
