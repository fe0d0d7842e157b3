/* delta/cm/literals.h - the bytes of new that lie in no copy, and the short copies between them: what is in the gaps of the match map.
 *
 * They are coded by what precedes them, by old's bytes around the place where copies leave off, and by what those would put there,
 * never by what copies turn out to be. So they are a coded part of their own, and a thread of its own can decode them. The same code
 * encodes and decodes. Memory: sizeof(struct delta_literals), fixed. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/literal_queue.h"
#include "delta/image/predict.h"

struct delta_literals;

enum { DELTA_PIECE = 1024 }; /* of many literals, which may stand as they are */

/* How a block is coded; for decoding, all is 0. */
struct delta_manner {
    bool quick;                                         /* it shall apply sooner, and may take some more room */
    uint32_t plain_n;                                   /* pieces that stand as they are: */
    unsigned char plain[DELTA_BLOCK / DELTA_PIECE / 8]; /* a bit for each, in their order */
};

/* `shared` and `old`, which nobody else may read meanwhile, must live as long. NULL: out of memory. */
struct delta_literals *delta_literals_new(const struct delta_shared_context *shared, struct delta_old *old);
void delta_literals_free(struct delta_literals *literals);

/* At a block's start. Encoding, `*manner` lives until the block is coded; pieces that would better have stood as they are are added to it. */
void delta_literals_reset(struct delta_literals *literals, bool quick, struct delta_manner *manner);

/* Those of new[start..end), a stripe. Encoding takes the bytes from `truth` (new[start]) and all copies of the encoder from `copies`;
 * *ret_coded says whether there was anything. Decoding puts runs into `queue` and does not end it. */
HF_MUST_USE int delta_literals_encode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, const unsigned char *truth, const struct delta_copies *copies,
                                      bool *ret_coded, struct hf_err *err);
HF_MUST_USE int delta_literals_decode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, struct delta_literal_queue *queue, struct hf_err *err);
