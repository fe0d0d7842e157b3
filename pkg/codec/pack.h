/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses whole artifacts to .zst piece by piece, for codec/unpack.h. Deterministic for one zstd version and sizes
 * of pieces. The window is at most 8 MiB, for small nodes; the frame has size and checksum. Threads: one at a time. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

struct hf_pack;

/* `write`: as in codec/gunzip.h. total_bytes: all that is fed, else -EIO. */
struct hf_pack *hf_pack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t total_bytes);
void hf_pack_free(struct hf_pack *pack);
HF_DEFINE_CLEANUP(struct hf_pack, hf_pack_free)

HF_MUST_USE int hf_pack_feed(struct hf_pack *pack, const void *bytes, size_t n, struct hf_err *err);
HF_MUST_USE int hf_pack_finish(struct hf_pack *pack, struct hf_err *err);
