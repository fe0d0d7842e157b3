/* SPDX-License-Identifier: Apache-2.0 */
/* The failure of a step: a reason for the status, and an error text. A plain value. */
#pragma once

#include "api/update/reason.h"
#include "base/err.h"

struct hf_failure {
    enum hf_reason reason;
    struct hf_err err;
};

/* As hf_err_set() with the positive errno `code`; returns -code. */
int hf_failure_set(struct hf_failure *failure, enum hf_reason reason, int code, const char *format, ...)
    HF_PRINTF(4, 5);
/* As hf_err_sys(), with the reason hf_reason_of_errno(r); returns the negative errno `r`. */
int hf_failure_sys(struct hf_failure *failure, int r, const char *format, ...) HF_PRINTF(3, 4);
