/* delta/select_predictors.h - which predictors of code are worth having: those that are right more often than old's own bytes are. */
#pragma once

#include "delta/create.h"
#include "delta/image/predict.h"

/* What is left of shared->predictors; its map is sorted. -ENOMEM, or an error of the reader of old. */
HF_MUST_USE int delta_select_predictors(const struct delta_make *make, struct delta_shared_context *shared,
                                        unsigned *ret_predictors, struct hf_err *err);
