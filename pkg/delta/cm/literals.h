/* delta/cm/literals.h - code the gaps of the match map: literals, and the short copies between them.
 *
 * The contexts of a literal are the literals and short copies before it, and the old bytes around the end of a copy
 * in the map, but never the decoded bytes of such a copy. Literals are therefore a separate coded part, which another
 * thread can decode. One code path for both directions.
 *
 * Memory: sizeof(struct delta_literals) and the tables, a fixed amount. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/literal_queue.h"
#include "delta/image/predict.h"

struct delta_literals;

enum { DELTA_LITERAL_PIECE = 1024 }; /* bytes of a piece, the unit of literals that the encoder may store raw */

/* Options of a block's encoder; all zero for decoding. */
struct delta_block_options {
    bool quick; /* true: decoding takes less time, and the delta is slightly larger */
    /* number of pieces that the encoder has marked as raw so far */
    uint32_t plain_n;
    /* one bit for each piece, in order: 1 if the piece is stored raw */
    unsigned char plain[DELTA_BLOCK / DELTA_LITERAL_PIECE / 8];
};

/* Borrows `shared` and `old`; no other thread may read `old` meanwhile. NULL: out of memory. */
struct delta_literals *delta_literals_new(const struct delta_shared_context *shared, struct delta_old *old);
void delta_literals_free(struct delta_literals *literals);

/* Call at the start of a block. When encoding, *options must live until the block is coded; the encoder sets a bit
 * for each piece that would be smaller raw. */
void delta_literals_reset(struct delta_literals *literals, bool quick, struct delta_block_options *options);

/* Codes the literals of new[start..end), a stripe. Encoding takes the bytes from `truth` (new[start]) and all copies
 * from `copies`; *ret_coded is false if the stripe has nothing to code. Decoding puts runs into `queue` but does not
 * end the stripe there. */
HF_MUST_USE int delta_literals_encode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, const unsigned char *truth, const struct delta_copies *copies,
                                      bool *ret_coded, struct hf_err *err);
HF_MUST_USE int delta_literals_decode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, struct delta_literal_queue *queue, struct hf_err *err);
