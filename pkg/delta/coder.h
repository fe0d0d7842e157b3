/* delta/coder.h - the bytes of a block of method 1, packed: by zstd or, where they are few, by LZMA, which makes them some 6 % fewer at
 * many times the time per byte.
 *
 * Threads: a state belongs to one thread at a time. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"

/* How a block is packed: the lowest bit of the number in front of it. */
enum delta_coder { DELTA_CODER_ZSTD = 0, DELTA_CODER_LZMA = 1 };

/* ---- unpacking ------------------------------------------------------------------------------------------------- */

struct delta_unpacker;

/* NULL: no memory. What a coder needs it gets with the first block that needs it, and loses with the first of the other. */
struct delta_unpacker *delta_unpacker_new(struct delta_input *input);
void delta_unpacker_free(struct delta_unpacker *u);

/* Begin a block of `n` bytes of the patch. */
HF_MUST_USE int delta_unpacker_start(struct delta_unpacker *u, enum delta_coder coder, uint64_t n, struct hf_err *err);
/* The next n bytes of the block. */
HF_MUST_USE int delta_unpacker_read(struct delta_unpacker *u, unsigned char *to, size_t n, struct hf_err *err);
/* The block is over: only some bytes of it, which end it, may be left. */
HF_MUST_USE int delta_unpacker_finish(struct delta_unpacker *u, struct hf_err *err);

/* ---- packing --------------------------------------------------------------------------------------------------- */

struct delta_packer;

/* `quick`: to see what ways of matching are worth; it tells them apart as well as the other does, in a third of the time and less
 * memory. `split`: what is large becomes two frames, made in as many threads as `params` (may be NULL) wants, whose number changes nothing;
 * some 0.7 % more bytes. NULL: no memory. */
struct delta_packer *delta_packer_new(bool quick, bool split, const struct hf_delta_create_params *params);
void delta_packer_free(struct delta_packer *p);

/* Append the bytes of a block that makes `made` bytes of new, with their length and coder in front. -ENOMEM. */
HF_MUST_USE int delta_packer_pack(struct delta_packer *p, const struct hf_buf *bytes, uint64_t made,
                                  struct hf_buf *body);
