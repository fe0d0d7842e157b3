/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses method 1's blocks by LZMA or zstd. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"

/* Lowest bit of the number before a block. */
enum delta_coder { DELTA_CODER_ZSTD = 0, DELTA_CODER_LZMA = 1 };

struct delta_unpacker;

/* Holds one coder's decoder at a time. */
struct delta_unpacker *delta_unpacker_new(struct delta_input *input);
void delta_unpacker_free(struct delta_unpacker *u);

/* `n`: the block's bytes in the delta. */
HF_MUST_USE int delta_unpacker_start(struct delta_unpacker *u, enum delta_coder coder, uint64_t n, struct hf_err *err);
HF_MUST_USE int delta_unpacker_read(struct delta_unpacker *u, unsigned char *to, size_t n, struct hf_err *err);
/* Skips the block's remainder. -EBADMSG: above 16 bytes. */
HF_MUST_USE int delta_unpacker_finish(struct delta_unpacker *u, struct hf_err *err);

struct delta_packer;

/* `quick`: low effort, to estimate, in a third of the time. `split`: large blocks as two zstd frames, for two threads;
 * 0.7 % more bytes. `params` may be NULL; its threads change no bytes. */
struct delta_packer *delta_packer_new(bool quick, bool split, const struct hf_delta_create_params *params);
void delta_packer_free(struct delta_packer *p);

/* Appends length and coder, then the block. `made`: bytes of the new file that it makes. */
HF_MUST_USE int delta_packer_pack(struct delta_packer *p, const struct hf_buf *bytes, uint64_t made,
                                  struct hf_buf *body);
