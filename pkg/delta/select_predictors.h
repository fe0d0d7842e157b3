/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/create.h"
#include "delta/image/predict.h"

/* Sets *ret_predictors to those of shared->predictors that help. shared->map must be sorted. */
HF_MUST_USE int delta_select_predictors(const struct delta_make *make, struct delta_shared_context *shared,
                                        unsigned *ret_predictors, struct hf_err *err);
