/* SPDX-License-Identifier: Apache-2.0 */
/* Code the gaps of the match map: literals, and short copies between them; one path for both directions. Another thread
 * may decode them. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/literal_queue.h"
#include "delta/image/predict.h"

struct delta_literals;

enum { DELTA_LITERAL_PIECE = 1024 }; /* bytes; the encoder may store a piece raw */

/* For a block; encoding only. */
struct delta_block_options {
    bool quick;                                                 /* less time to decode, slightly larger */
    uint32_t plain_n;                                           /* pieces marked so far */
    unsigned char plain[DELTA_BLOCK / DELTA_LITERAL_PIECE / 8]; /* a bit per piece: stored raw */
};

/* Borrows both; only it may read `old`. */
struct delta_literals *delta_literals_new(const struct delta_shared_context *shared, struct delta_old *old);
void delta_literals_free(struct delta_literals *literals);

/* For the next block, which borrows *options (NULL when decoding). Pieces marked in options->plain are stored raw;
 * those that would be smaller raw get marked, for a second encoding. */
void delta_literals_reset(struct delta_literals *literals, bool quick, struct delta_block_options *options);

/* Literals of new[start..end). `truth` points to new[start]; `copies` are those of the new file; *ret_coded false: no
 * gap. Decoding puts runs, each with its literals, into `queue`, and does not end the stripe. */
HF_MUST_USE int delta_literals_encode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, const unsigned char *truth, const struct delta_copies *copies,
                                      bool *ret_coded, struct hf_err *err);
HF_MUST_USE int delta_literals_decode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, struct delta_literal_queue *queue, struct hf_err *err);
