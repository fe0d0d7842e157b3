/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/failure.h"

#include <stdio.h>

int hf_failure_set(struct hf_failure *failure, enum hf_reason reason, int code, const char *format, ...)
{
    char text[sizeof(failure->err.cause)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    failure->reason = reason;
    return hf_err_set(&failure->err, code, "%s", text);
}

int hf_failure_sys(struct hf_failure *failure, int r, const char *format, ...)
{
    char text[sizeof(failure->err.cause)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    failure->reason = hf_reason_of_errno(r);
    return hf_err_sys(&failure->err, r, "%s", text);
}
