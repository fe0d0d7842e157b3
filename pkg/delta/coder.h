/* SPDX-License-Identifier: Apache-2.0 */
/* delta/coder.h - compress the blocks of method 1. Each block makes a part of the new file. The packer compares the
 * uncompressed size of the block with the size of that part. It uses LZMA for a comparatively small block, zstd for a
 * comparatively large one, and the better of the two for any other. For the same block, LZMA needs about 6 % fewer
 * bytes than zstd, but many times as long per byte.
 *
 * Threads: a state belongs to one thread at a time. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"

/* The compressor of a block. In the delta, a number precedes each block; the least significant bit of this number is
 * one of these values. */
enum delta_coder { DELTA_CODER_ZSTD = 0, DELTA_CODER_LZMA = 1 };

/* ---- unpacking ------------------------------------------------------------------------------------------------- */

struct delta_unpacker;

/* Makes an unpacker. Returns NULL if out of memory. The unpacker holds the decoder of only one coder at a time. At a
 * block with the other coder, it frees this decoder and allocates the other one. */
struct delta_unpacker *delta_unpacker_new(struct delta_input *input);
void delta_unpacker_free(struct delta_unpacker *u);

/* Starts a block that takes `n` bytes in the delta. */
HF_MUST_USE int delta_unpacker_start(struct delta_unpacker *u, enum delta_coder coder, uint64_t n, struct hf_err *err);
/* Reads the next n decompressed bytes of the block. */
HF_MUST_USE int delta_unpacker_read(struct delta_unpacker *u, unsigned char *to, size_t n, struct hf_err *err);
/* Ends the block. Skips the remaining bytes of the block: after the bytes that make the last output byte, a block may
 * have up to 16 more. -EBADMSG: more than 16 bytes remain. */
HF_MUST_USE int delta_unpacker_finish(struct delta_unpacker *u, struct hf_err *err);

/* ---- packing --------------------------------------------------------------------------------------------------- */

struct delta_packer;

/* Makes a packer. Returns NULL if out of memory.
 *
 * If `quick` is true, the packer compresses with low effort, only to estimate sizes. For ranking variants, the
 * estimates are as good as the sizes after full compression. They take a third of the time and less memory.
 *
 * If `split` is true, zstd compresses a large block as two frames, and two threads may compress them at the same time.
 * Two frames take 0.7 % more bytes than one. The bytes do not depend on params->threads. `params` may be NULL. */
struct delta_packer *delta_packer_new(bool quick, bool split, const struct hf_delta_create_params *params);
void delta_packer_free(struct delta_packer *p);

/* Compresses `bytes` as one block and appends to `body` the block's length and coder, then the block. `made` is the
 * number of bytes of the new file that the block makes. Errors: -ENOMEM. */
HF_MUST_USE int delta_packer_pack(struct delta_packer *p, const struct hf_buf *bytes, uint64_t made,
                                  struct hf_buf *body);
