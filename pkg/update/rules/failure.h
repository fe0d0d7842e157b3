/* update/rules/failure.h - the failure of a step, as a reason for the status and an error text. The struct is a plain
 * value and needs no free. */
#pragma once

#include "base/err.h"
#include "update/rules/reasons.h"

struct hf_failure {
    enum hf_reason reason;
    struct hf_err err;
};

/* Sets reason and error. Returns -code, as hf_err_set() does. */
int hf_failure_set(struct hf_failure *failure, enum hf_reason reason, int code, const char *format, ...)
    HF_PRINTF(4, 5);
/* Sets the error from the errno r, and the reason to hf_reason_of_errno(r). Returns r as a negative errno. */
int hf_failure_sys(struct hf_failure *failure, int r, const char *format, ...) HF_PRINTF(3, 4);
