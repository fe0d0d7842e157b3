/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/source/failure.h"

#include <stdarg.h>
#include <stdio.h>

int hf_source_fail(struct hf_source_failure *failure, enum hf_manifest_reason reason, int code, const char *format, ...)
{
    char text[sizeof(failure->err.cause)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    failure->reason = reason;
    return hf_err_set(&failure->err, code, "%s", text);
}

int hf_source_blame(struct hf_source_failure *failure, enum hf_manifest_reason reason, int r)
{
    failure->reason = reason;
    return r;
}
