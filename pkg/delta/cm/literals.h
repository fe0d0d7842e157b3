/* SPDX-License-Identifier: Apache-2.0 */
/* delta/cm/literals.h - code the gaps of the match map, which are the parts of the new file that no entry of the map
 * covers. A gap consists of literals and of short copies between the literals.
 *
 * The contexts of a literal are the literals before that literal, and old bytes near the sources of the copies before
 * and after that literal. The decoded bytes of copies are never contexts of literals. Literals are therefore a separate
 * coded part, which another thread can decode. One code path encodes and decodes.
 *
 * Memory: sizeof(struct delta_literals), and the tables, whose size has a fixed upper bound. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/literal_queue.h"
#include "delta/image/predict.h"

struct delta_literals;

enum { DELTA_LITERAL_PIECE = 1024 }; /* length in bytes of a piece; the encoder may store a piece of literals raw */

/* Options of a block's encoder; decoding has none. */
struct delta_block_options {
    bool quick; /* if true, decoding takes less time, but the delta is slightly larger */
    /* number of pieces that the encoder has marked as raw so far */
    uint32_t plain_n;
    /* one bit for each piece, in order: 1 if the piece is stored raw */
    unsigned char plain[DELTA_BLOCK / DELTA_LITERAL_PIECE / 8];
};

/* Makes a coder of literals, which borrows `shared` and `old`. Only this coder may read `old` until
 * delta_literals_free(). Returns NULL if out of memory. */
struct delta_literals *delta_literals_new(const struct delta_shared_context *shared, struct delta_old *old);
void delta_literals_free(struct delta_literals *literals);

/* Prepares for the next block. When encoding, *options must live until the block is coded. The encoder stores a piece
 * raw if the bit of that piece is set in options->plain. It sets the bit of every other piece that would be smaller
 * raw, so that the caller can encode the block again with these bits. When decoding, `options` is NULL. */
void delta_literals_reset(struct delta_literals *literals, bool quick, struct delta_block_options *options);

/* Codes the literals of the stripe new[start..end). Encoding takes the bytes from `truth`, which points to new[start],
 * and the short copies from `copies`, which lists all copies of the new file. Encoding sets *ret_coded to false if the
 * stripe has no gap, and so nothing to code. Decoding puts each run into `queue`, followed by the literals of the run,
 * but does not end the stripe in the queue. */
HF_MUST_USE int delta_literals_encode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, const unsigned char *truth, const struct delta_copies *copies,
                                      bool *ret_coded, struct hf_err *err);
HF_MUST_USE int delta_literals_decode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, struct delta_literal_queue *queue, struct hf_err *err);
