/* SPDX-License-Identifier: Apache-2.0 */
/* Choose the predictors for code. Creating only. */
#pragma once

#include "delta/create.h"
#include "delta/image/predict.h"

/* Chooses from shared->predictors; shared->map must be sorted. */
HF_MUST_USE int delta_select_predictors(const struct delta_make *make, struct delta_shared_context *shared,
                                        unsigned *ret_predictors, struct hf_err *err);
