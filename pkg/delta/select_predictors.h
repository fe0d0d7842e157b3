/* delta/select_predictors.h - choose the predictors to use for code. A predictor of references in code of 32-bit ARM,
 * 32-bit x86 or RISC-V stays, unless its predictions for the two files are wrong more often than the old file's bytes,
 * copied without a change, would be. The predictor for the other machines always stays. Used only to create deltas. */
#pragma once

#include "delta/create.h"
#include "delta/image/predict.h"

/* Sets *ret_predictors to the useful predictors among those in shared->predictors. The map must be sorted. Returns 0,
 * -ENOMEM or an error of the old file's reader. */
HF_MUST_USE int delta_select_predictors(const struct delta_make *make, struct delta_shared_context *shared,
                                        unsigned *ret_predictors, struct hf_err *err);
