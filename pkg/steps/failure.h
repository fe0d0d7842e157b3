/* SPDX-License-Identifier: Apache-2.0 */
/* steps/failure.h - the failure of a step, as a reason for the status and an error text. struct hf_failure is a
 * plain value that nobody has to free. */
#pragma once

#include "api/update/reason.h"
#include "base/err.h"

struct hf_failure {
    enum hf_reason reason;
    struct hf_err err;
};

/* Sets the reason, and sets the error from `code` (a positive errno) and the text, as hf_err_set() does. Returns
 * -code. */
int hf_failure_set(struct hf_failure *failure, enum hf_reason reason, int code, const char *format, ...)
    HF_PRINTF(4, 5);
/* Sets the reason to hf_reason_of_errno(r), and sets the error from the negative errno `r` and the text, as
 * hf_err_sys() does. Returns `r`. */
int hf_failure_sys(struct hf_failure *failure, int r, const char *format, ...) HF_PRINTF(3, 4);
