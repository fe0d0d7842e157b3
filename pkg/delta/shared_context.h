/* SPDX-License-Identifier: Apache-2.0 */
/* Predictors, image pairs and match map (image/predict.h), with which bodies of methods 1 and 2 begin (FORMAT.md).
 * delta_shared_context_done() also after an error. */
#pragma once

#include "delta/apply_state.h"
#include "delta/cm/cm.h"
#include "delta/create.h"
#include "delta/image/predict.h"

/* Codes in `cm`'s direction. Sorts the map. `cm`'s errors, -EBADMSG, -EOPNOTSUPP. */
HF_MUST_USE int delta_shared_context_code(struct delta_cm *cm, struct delta_shared_context *shared, struct hf_err *err);

void delta_shared_context_done(struct delta_shared_context *shared);

HF_MUST_USE int delta_shared_context_read(struct delta_apply_state *apply, struct delta_shared_context *shared,
                                          struct hf_err *err);

/* Appends. `memory` reads the old file from now on, and outlives *shared. */
HF_MUST_USE int delta_shared_context_make(const struct delta_make *make, struct delta_memory *memory,
                                          struct delta_shared_context *shared, struct hf_buf *body, struct hf_err *err);

/* A part: a coder's output from start to finish, its length before it. */
HF_MUST_USE int delta_part_open(struct delta_apply_state *apply, struct delta_cm *cm, struct hf_err *err);
HF_MUST_USE int delta_part_add(struct hf_buf *body, const struct hf_buf *part);
