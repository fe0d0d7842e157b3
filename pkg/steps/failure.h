/* SPDX-License-Identifier: Apache-2.0 */
/* Why a step failed: a reason for the status, and a text. A plain value. */
#pragma once

#include "api/update/reason.h"
#include "base/err.h"

struct hf_failure {
    enum hf_reason reason;
    struct hf_err err;
};

/* As hf_err_set(): `code` > 0; returns -code. */
int hf_failure_set(struct hf_failure *failure, enum hf_reason reason, int code, const char *format, ...)
    HF_PRINTF(4, 5);
/* As hf_err_sys(), with hf_reason_of_errno(r); returns `r` < 0. */
int hf_failure_sys(struct hf_failure *failure, int r, const char *format, ...) HF_PRINTF(3, 4);
