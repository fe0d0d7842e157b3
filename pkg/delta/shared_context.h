/* SPDX-License-Identifier: Apache-2.0 */
/* delta/shared_context.h - read and write the shared context: predictors, pairs of images and the match map. Encoder
 * and decoder have the shared context before the first byte of the new file, because the bodies of methods 1 and 2
 * begin with the shared context (FORMAT.md).
 *
 * image/predict.h declares struct delta_shared_context. */
#pragma once

#include "delta/apply_state.h"
#include "delta/cm/cm.h"
#include "delta/create.h"
#include "delta/image/predict.h"

/* Encodes `shared` if cm encodes, otherwise decodes into `shared`. Sorts the map. Errors: those of `cm`, -EBADMSG,
 * -ENOMEM, and -EOPNOTSUPP for an unknown predictor. */
HF_MUST_USE int delta_shared_context_code(struct delta_cm *cm, struct delta_shared_context *shared, struct hf_err *err);

/* Frees everything that the shared context owns. */
void delta_shared_context_done(struct delta_shared_context *shared);

/* Reads the shared context, which is the first part of the body. Free *shared with delta_shared_context_done(), also
 * after an error. */
HF_MUST_USE int delta_shared_context_read(struct delta_apply_state *apply, struct delta_shared_context *shared,
                                          struct hf_err *err);

/* Makes the shared context of `make` and appends it to `body`. `memory` becomes the reader of the old file and must
 * live as long as the shared context. Free *shared with delta_shared_context_done(), also after an error. */
HF_MUST_USE int delta_shared_context_make(const struct delta_make *make, struct delta_memory *memory,
                                          struct delta_shared_context *shared, struct hf_buf *body, struct hf_err *err);

/* A coded part is the output of a coder (struct delta_cm) from its start to its finish. In a body, the length of each
 * coded part precedes the part. delta_part_open() reads the length of the next part and starts to decode the part with
 * `cm`. delta_part_add() appends the length of `part` and the part. */
HF_MUST_USE int delta_part_open(struct delta_apply_state *apply, struct delta_cm *cm, struct hf_err *err);
HF_MUST_USE int delta_part_add(struct hf_buf *body, const struct hf_buf *part);
