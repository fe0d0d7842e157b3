/* update/rules/failure.h - the failure of a step: a reason for the status and an error text. A value; nothing to
 * free. */
#pragma once

#include "base/err.h"
#include "update/rules/reasons.h"

struct hf_failure {
    enum hf_reason reason;
    struct hf_err err;
};

/* Each function sets reason and error and returns -code, as hf_err_set() does. */
int hf_failure_set(struct hf_failure *failure, enum hf_reason reason, int code, const char *format, ...)
    HF_PRINTF(4, 5);
/* Sets the failure from the errno r, with the reason of hf_reason_of_errno(). */
int hf_failure_sys(struct hf_failure *failure, int r, const char *format, ...) HF_PRINTF(3, 4);
