/* SPDX-License-Identifier: Apache-2.0 */
/* codec/pack.h - compresses whole-file artifacts to .zst piece by piece; codec/unpack.h decompresses them.
 *
 * Deterministic: with one version of zstd, the same bytes in pieces of the same sizes give the same output. The
 * compression window has at most 8 MiB, so that a node needs little memory to unpack the artifact. The frame holds the
 * size and a checksum of the content. Threads: one at a time. Errors: 0 or -errno, *err has the cause. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

struct hf_pack;

/* `write` gets the compressed bytes in order; it returns 0, or -errno to end the compression with that error.
 * `total_bytes` is the total number of bytes that the caller will pass to hf_pack_feed(). If the caller passes more or
 * fewer bytes, hf_pack_feed() or hf_pack_finish() returns -EIO. Returns NULL on OOM. */
struct hf_pack *hf_pack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t total_bytes);
void hf_pack_free(struct hf_pack *pack);
HF_DEFINE_CLEANUP(struct hf_pack, hf_pack_free)

HF_MUST_USE int hf_pack_feed(struct hf_pack *pack, const void *bytes, size_t n, struct hf_err *err);
HF_MUST_USE int hf_pack_finish(struct hf_pack *pack, struct hf_err *err);
