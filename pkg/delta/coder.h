/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses the blocks of method 1 by LZMA or zstd. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"

enum delta_coder { DELTA_CODER_ZSTD = 0, DELTA_CODER_LZMA = 1 };

struct delta_unpacker;

struct delta_unpacker *delta_unpacker_new(struct delta_input *input);
void delta_unpacker_free(struct delta_unpacker *u);

HF_MUST_USE int delta_unpacker_start(struct delta_unpacker *u, enum delta_coder coder, uint64_t n, struct hf_err *err);
HF_MUST_USE int delta_unpacker_read(struct delta_unpacker *u, unsigned char *to, size_t n, struct hf_err *err);
/* Skips what remains of the block. -EBADMSG: more than 16 bytes remain. */
HF_MUST_USE int delta_unpacker_finish(struct delta_unpacker *u, struct hf_err *err);

struct delta_packer;

/* `quick`: low effort, to estimate sizes in a third of the time. `split`: two threads make two zstd frames of a large
 * block, 0.7 % larger. `params` may be NULL; its threads change no bytes. */
struct delta_packer *delta_packer_new(bool quick, bool split, const struct hf_delta_create_params *params);
void delta_packer_free(struct delta_packer *p);

/* Appends length and coder, then the block. `made`: how many bytes of the new file the block makes. */
HF_MUST_USE int delta_packer_pack(struct delta_packer *p, const struct hf_buf *bytes, uint64_t made,
                                  struct hf_buf *body);
