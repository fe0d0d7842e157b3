/* SPDX-License-Identifier: Apache-2.0 */
/* delta/cm/model.h - the small profile's model of copies. The model predicts each byte of a copy from the old file, the
 * match map and the image. It then codes whether and how the true byte differs from the prediction. One code path
 * encodes and decodes, so that both sides predict the same bytes. literals.h codes the bytes between copies.
 *
 * One model serves one block at a time; delta_model_reset() starts the next block. Memory: sizeof(struct delta_model),
 * and the tables of its stream. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/literal_queue.h"
#include "delta/image/predict.h"

struct delta_model;

struct delta_model *delta_model_new(struct delta_shared_context *shared);
void delta_model_free(struct delta_model *model);
/* Prepares for the next block. If `quick` is true, decoding takes less time, but the delta is slightly larger. */
void delta_model_reset(struct delta_model *model, bool quick);

/* Codes the copies of the stripe new[start..end). Encoding takes the bytes from `truth`, which points to new[start],
 * and the short copies from `copies`, which lists all copies of the new file. Decoding takes literals and short copies
 * from `queue`, and writes all bytes to `output`. */
HF_MUST_USE int delta_model_encode(struct delta_model *model, struct delta_cm *cm, uint64_t start, uint64_t end,
                                   const unsigned char *truth, const struct delta_copies *copies, struct hf_err *err);
HF_MUST_USE int delta_model_decode(struct delta_model *model, struct delta_cm *cm, uint64_t start, uint64_t end,
                                   struct delta_literal_queue *queue, struct delta_output *output, struct hf_err *err);
