/* delta/pays.h - which predictors of code are worth having: those that are right more often than old's own bytes are. */
#pragma once

#include "delta/create.h"
#include "delta/image/predict.h"

/* What is left of setting->predictors; its map is sorted. -ENOMEM, or an error of the reader of old. */
HF_MUST_USE int delta_predictors_that_pay(const struct delta_make *make, struct delta_setting *setting,
                                          unsigned *ret_predictors, struct hf_err *err);
