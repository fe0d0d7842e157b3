/* SPDX-License-Identifier: Apache-2.0 */
/* Codes the small profile's copies: predicts bytes from old file, match map and image, and codes where and how the true
 * bytes differ; one path for both directions. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/literal_queue.h"
#include "delta/image/predict.h"

struct delta_model;

struct delta_model *delta_model_new(struct delta_shared_context *shared);
void delta_model_free(struct delta_model *model);
/* Begins a block. `quick`: decodes faster, from a slightly larger delta. */
void delta_model_reset(struct delta_model *model, bool quick);

/* Code the copies in new[start..end). `truth` points to new[start]; `copies` covers the whole file. Decoding takes
 * literals and short copies from `queue`, and writes all bytes. */
HF_MUST_USE int delta_model_encode(struct delta_model *model, struct delta_cm *cm, uint64_t start, uint64_t end,
                                   const unsigned char *truth, const struct delta_copies *copies, struct hf_err *err);
HF_MUST_USE int delta_model_decode(struct delta_model *model, struct delta_cm *cm, uint64_t start, uint64_t end,
                                   struct delta_literal_queue *queue, struct delta_output *output, struct hf_err *err);
