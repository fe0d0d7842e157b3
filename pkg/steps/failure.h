/* SPDX-License-Identifier: Apache-2.0 */
/* Why a step failed: a reason for the status, and a text. */
#pragma once

#include "api/update/reason.h"
#include "base/err.h"

struct hf_failure {
    enum hf_reason reason;
    struct hf_err err;
};

/* Sets a failure, or any struct with `reason` and `err`, as hf_err_set() sets an error. The value is -code. */
#define hf_failure_set(failure, why, code, ...)                                                                        \
    ((failure)->reason = (why), hf_err_set(&(failure)->err, (code), __VA_ARGS__))
/* Sets a failure as hf_err_sys() sets an error, the reason by hf_reason_of_errno(r). The value is `r` < 0. */
#define hf_failure_sys(failure, r, ...)                                                                                \
    ((failure)->reason = hf_reason_of_errno(r), hf_err_sys(&(failure)->err, (r), __VA_ARGS__))
