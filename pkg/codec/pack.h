/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses artifacts to .zst piece by piece, for codec/unpack.h. For one input, the output depends only on the zstd
 * version and the sizes of the pieces. The window is at most 8 MiB. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

struct hf_pack;

/* `write`: see codec/gunzip.h. total_bytes: size of all input; -EIO if it is not. */
struct hf_pack *hf_pack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t total_bytes);
void hf_pack_free(struct hf_pack *pack);
HF_DEFINE_CLEANUP(struct hf_pack, hf_pack_free)

HF_MUST_USE int hf_pack_feed(struct hf_pack *pack, const void *bytes, size_t n, struct hf_err *err);
HF_MUST_USE int hf_pack_finish(struct hf_pack *pack, struct hf_err *err);
