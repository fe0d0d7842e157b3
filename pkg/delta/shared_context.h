/* SPDX-License-Identifier: Apache-2.0 */
/* Predictors, image pairs and match map (image/predict.h): what a body of method 1 or 2 begins with (FORMAT.md). Call
 * delta_shared_context_done() also after an error. */
#pragma once

#include "delta/apply_state.h"
#include "delta/cm/cm.h"
#include "delta/create.h"
#include "delta/image/predict.h"

/* Encodes or decodes, as `cm` does; sorts the map. Errors: those of `cm`, -EBADMSG, -EOPNOTSUPP, -ENOMEM. */
HF_MUST_USE int delta_shared_context_code(struct delta_cm *cm, struct delta_shared_context *shared, struct hf_err *err);

void delta_shared_context_done(struct delta_shared_context *shared);

HF_MUST_USE int delta_shared_context_read(struct delta_apply_state *apply, struct delta_shared_context *shared,
                                          struct hf_err *err);

/* Appends the encoded context. `memory` reads the old file from now on, and must outlive *shared. */
HF_MUST_USE int delta_shared_context_make(const struct delta_make *make, struct delta_memory *memory,
                                          struct delta_shared_context *shared, struct hf_buf *body, struct hf_err *err);

/* A part is the length of a coder's output, then that output. */
HF_MUST_USE int delta_part_open(struct delta_apply_state *apply, struct delta_cm *cm, struct hf_err *err);
HF_MUST_USE int delta_part_add(struct hf_buf *body, const struct hf_buf *part);
