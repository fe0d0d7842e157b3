/* SPDX-License-Identifier: Apache-2.0 */
/* Compress the blocks of method 1 by LZMA or zstd. Threads: one at a time. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"

/* The lowest bit of the number before each block. */
enum delta_coder { DELTA_CODER_ZSTD = 0, DELTA_CODER_LZMA = 1 };

struct delta_unpacker;

/* It holds the decoder of one coder at a time and replaces it at a block with the other. */
struct delta_unpacker *delta_unpacker_new(struct delta_input *input);
void delta_unpacker_free(struct delta_unpacker *u);

/* `n`: the block's bytes in the delta. */
HF_MUST_USE int delta_unpacker_start(struct delta_unpacker *u, enum delta_coder coder, uint64_t n, struct hf_err *err);
HF_MUST_USE int delta_unpacker_read(struct delta_unpacker *u, unsigned char *to, size_t n, struct hf_err *err);
/* Skips the rest of the block. -EBADMSG: it is more than the 16 bytes that may follow the ones needed. */
HF_MUST_USE int delta_unpacker_finish(struct delta_unpacker *u, struct hf_err *err);

struct delta_packer;

/* `quick`: low effort, to estimate sizes, in a third of the time. `split`: zstd makes two frames of a large block, for
 * two threads; 0.7 % more bytes. `params` may be NULL; its threads do not change the bytes. */
struct delta_packer *delta_packer_new(bool quick, bool split, const struct hf_delta_create_params *params);
void delta_packer_free(struct delta_packer *p);

/* Appends the block's length and coder, then the block. `made`: bytes of the new file that it makes. */
HF_MUST_USE int delta_packer_pack(struct delta_packer *p, const struct hf_buf *bytes, uint64_t made,
                                  struct hf_buf *body);
