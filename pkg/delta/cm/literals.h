/* SPDX-License-Identifier: Apache-2.0 */
/* Codes the gaps of the match map: literals, and short copies between; one path for both directions. Another thread may
 * decode. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/literal_queue.h"
#include "delta/image/predict.h"

struct delta_literals;

enum { DELTA_LITERAL_PIECE = 1024 }; /* bytes that may be stored raw */

struct delta_block_options {
    bool quick;                                                 /* decodes faster, slightly larger */
    uint32_t plain_n;                                           /* pieces marked */
    unsigned char plain[DELTA_BLOCK / DELTA_LITERAL_PIECE / 8]; /* a bit a piece: raw */
};

/* Borrows; nothing else may read `old`. */
struct delta_literals *delta_literals_new(const struct delta_shared_context *shared, struct delta_old *old);
void delta_literals_free(struct delta_literals *literals);

/* Begins a block; borrows *options (decoding: NULL). Stores pieces marked in options->plain raw; marks those smaller
 * raw, for a second encoding. */
void delta_literals_reset(struct delta_literals *literals, bool quick, struct delta_block_options *options);

/* Code new[start..end)'s gaps. `truth` points to new[start]; `copies`: the whole file's; *ret_coded false: no gap.
 * Decoding puts runs, each with literals, into `queue`, but does not end the stripe. */
HF_MUST_USE int delta_literals_encode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, const unsigned char *truth, const struct delta_copies *copies,
                                      bool *ret_coded, struct hf_err *err);
HF_MUST_USE int delta_literals_decode(struct delta_literals *literals, struct delta_cm *cm, uint64_t start,
                                      uint64_t end, struct delta_literal_queue *queue, struct hf_err *err);
