/* SPDX-License-Identifier: Apache-2.0 */
/* Codes the gaps of the match map: literals, and short copies between them; one path for both directions. A thread of
 * its own may decode them. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/literal_queue.h"
#include "delta/image/predict.h"

struct delta_literals;

enum { DELTA_LITERAL_PIECE = 1024 }; /* bytes; a piece may be stored raw */

struct delta_block_options {
    bool quick;
    uint32_t plain_n;
    unsigned char plain[DELTA_BLOCK / DELTA_LITERAL_PIECE / 8]; /* a bit for each piece, set to store it raw */
};

/* Borrows both; nobody else may read `old`. */
struct delta_literals *delta_literals_new(const struct delta_shared_context *shared, struct delta_old *old);
void delta_literals_free(struct delta_literals *literals);

/* Begins a block. Encoding borrows *options: stores pieces marked in options->plain raw, and marks pieces that are
 * smaller raw, for a second encoding. */
void delta_literals_reset(struct delta_literals *literals, bool quick, struct delta_block_options *options);

/* Code the gaps in new[start..end). `truth` points to new[start]; `copies` covers the whole file; *ret_coded: whether
 * there was a gap. Decoding puts runs with their literals into `queue`; the caller ends the stripe. */
HF_MUST_USE int delta_literals_encode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, const unsigned char *truth, const struct delta_copies *copies,
                                      bool *ret_coded, struct hf_err *err);
HF_MUST_USE int delta_literals_decode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, struct delta_literal_queue *queue, struct hf_err *err);
