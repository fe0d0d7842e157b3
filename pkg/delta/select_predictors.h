/* SPDX-License-Identifier: Apache-2.0 */
/* delta/select_predictors.h - choose the predictors to use for code. Used only to create deltas. For 32-bit ARM, 32-bit
 * x86 and RISC-V, counts two kinds of references in code: those that the predictor predicts wrongly, and those that
 * differ between the old and the new file. Drops the predictor if the first count is larger, because copying the old
 * bytes without a change is then better. The predictor for the other machines always stays. */
#pragma once

#include "delta/create.h"
#include "delta/image/predict.h"

/* Sets *ret_predictors to the predictors in shared->predictors that stay. shared->map must be sorted. Returns 0,
 * -ENOMEM or an error of the old file's reader. */
HF_MUST_USE int delta_select_predictors(const struct delta_make *make, struct delta_shared_context *shared,
                                        unsigned *ret_predictors, struct hf_err *err);
