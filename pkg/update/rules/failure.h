/* update/rules/failure.h - why a step did not work: the reason for the status beside the error for a person. Value. */
#pragma once

#include "base/err.h"
#include "update/rules/reasons.h"

struct hf_failure {
    enum hf_reason reason;
    struct hf_err err;
};

/* Both return -code, as hf_err_set(). */
int hf_failure_set(struct hf_failure *failure, enum hf_reason reason, int code, const char *format, ...)
    HF_PRINTF(4, 5);
/* The reason is the errno's own (hf_reason_of_errno). */
int hf_failure_sys(struct hf_failure *failure, int r, const char *format, ...) HF_PRINTF(3, 4);
