/* delta/shared_context.h - read and write the shared context: predictors, pairs of images and the match map, which both
 * sides know before the first byte of the new file. It begins the bodies of methods 1 and 2 (FORMAT.md).
 *
 * image/predict.h declares struct delta_shared_context. */
#pragma once

#include "delta/apply_state.h"
#include "delta/cm/cm.h"
#include "delta/create.h"
#include "delta/image/predict.h"

/* Encodes `shared`, or decodes into it, according to the direction of cm; sorts its map. -EBADMSG, -EOPNOTSUPP
 * (unknown predictor),
 * -ENOMEM. */
HF_MUST_USE int delta_shared_context_code(struct delta_cm *cm, struct delta_shared_context *shared, struct hf_err *err);

/* Free what the shared context holds. */
void delta_shared_context_done(struct delta_shared_context *shared);

/* Reads the first part of the body. Free with delta_shared_context_done(), on failure too. */
HF_MUST_USE int delta_shared_context_read(struct delta_apply_state *apply, struct delta_shared_context *shared,
                                          struct hf_err *err);

/* Makes the shared context of `make` and appends it to `body`. `memory` becomes the reader of the old file and must
 * live as long as the shared context. Free with delta_shared_context_done(), on failure too. */
HF_MUST_USE int delta_shared_context_make(const struct delta_make *make, struct delta_memory *memory,
                                          struct delta_shared_context *shared, struct hf_buf *body, struct hf_err *err);

/* A body consists of coded parts, each with its length in front. delta_part_open() starts to decode the next part;
 * delta_part_add() appends a part. */
HF_MUST_USE int delta_part_open(struct delta_apply_state *apply, struct delta_cm *cm, struct hf_err *err);
HF_MUST_USE int delta_part_add(struct hf_buf *body, const struct hf_buf *part);
