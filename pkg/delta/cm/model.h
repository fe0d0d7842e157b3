/* delta/cm/model.h - the small profile's model of copies: what in them is not as old and the match map predict, given what is known of
 * the image. The same code encodes and decodes, so the two cannot disagree. What is between copies: literals.h.
 *
 * One model serves one block at a time; delta_model_reset() makes it as new. Memory: sizeof(struct delta_model), fixed. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/cm/literal_queue.h"
#include "delta/image/predict.h"

struct delta_model;

HF_MUST_USE int delta_shared_context_code(struct delta_cm *cm, struct delta_shared_context *shared, struct hf_err *err);

struct delta_make;
struct delta_memory;

/* The shared as the first part of a body. Free it with delta_shared_context_done(), on failure too. */
HF_MUST_USE int delta_shared_context_read(struct delta_apply_state *apply, struct delta_shared_context *shared,
                                          struct hf_err *err);
/* `memory` becomes the reader of old; it must live as long as the shared context. */
HF_MUST_USE int delta_shared_context_make(const struct delta_make *make, struct delta_memory *memory,
                                          struct delta_shared_context *shared, struct hf_buf *body, struct hf_err *err);

/* A coded part with its length in front. */
HF_MUST_USE int delta_part_open(struct delta_apply_state *apply, struct delta_cm *cm, struct hf_err *err);
HF_MUST_USE int delta_part_add(struct hf_buf *body, const struct hf_buf *part);

struct delta_model *delta_model_new(struct delta_shared_context *shared);
void delta_model_free(struct delta_model *model);
/* At a block's start. `quick`: it shall apply sooner, and may take some more room. */
void delta_model_reset(struct delta_model *model, bool quick);

/* The copies of new[start..end), a stripe. Encoding takes the bytes from `truth` (new[start]), and from `copies` all copies of the
 * encoder. Decoding takes literals, and the copies between them, from `queue`, and gives all bytes to `output`. */
HF_MUST_USE int delta_model_encode(struct delta_model *model, struct delta_cm *cm, uint64_t start, uint64_t end,
                                   const unsigned char *truth, const struct delta_copies *copies, struct hf_err *err);
HF_MUST_USE int delta_model_decode(struct delta_model *model, struct delta_cm *cm, uint64_t start, uint64_t end,
                                   struct delta_literal_queue *queue, struct delta_output *output, struct hf_err *err);
