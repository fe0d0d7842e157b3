/* delta/coder.h - compress the blocks of method 1, with zstd or, if they are small, with LZMA, which saves another 6 %
 * and takes many times as long per byte.
 *
 * Threads: a state belongs to one thread at a time. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"

/* Compressor of a block, from the lowest bit of the number in front of the block. */
enum delta_coder { DELTA_CODER_ZSTD = 0, DELTA_CODER_LZMA = 1 };

/* ---- unpacking ------------------------------------------------------------------------------------------------- */

struct delta_unpacker;

/* Makes an unpacker. NULL: out of memory. The unpacker allocates a decoder at the first block that needs it, and
 * frees it at the first block of the other kind. */
struct delta_unpacker *delta_unpacker_new(struct delta_input *input);
void delta_unpacker_free(struct delta_unpacker *u);

/* Starts a block of `n` bytes of the delta. */
HF_MUST_USE int delta_unpacker_start(struct delta_unpacker *u, enum delta_coder coder, uint64_t n, struct hf_err *err);
/* Reads the next n decompressed bytes of the block. */
HF_MUST_USE int delta_unpacker_read(struct delta_unpacker *u, unsigned char *to, size_t n, struct hf_err *err);
/* Ends the block. -EBADMSG if it holds more than its end marker. */
HF_MUST_USE int delta_unpacker_finish(struct delta_unpacker *u, struct hf_err *err);

/* ---- packing --------------------------------------------------------------------------------------------------- */

struct delta_packer;

/* `quick`: only estimates sizes. This ranks variants as well as full compression does, in a third of the time and
 * with less memory. `split`: compress large blocks as two frames in as many threads as `params` (may be NULL) asks
 * for; costs 0.7 % more bytes, which do not depend on the number of threads. NULL: out of memory. */
struct delta_packer *delta_packer_new(bool quick, bool split, const struct hf_delta_create_params *params);
void delta_packer_free(struct delta_packer *p);

/* Appends a block that makes `made` bytes of the new file, preceded by its length and coder. -ENOMEM. */
HF_MUST_USE int delta_packer_pack(struct delta_packer *p, const struct hf_buf *bytes, uint64_t made,
                                  struct hf_buf *body);
