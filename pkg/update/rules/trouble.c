#include "update/rules/trouble.h"

#include <stdio.h>

int hf_trouble_set(struct hf_trouble *trouble, enum hf_reason reason, int code, const char *format, ...)
{
    char text[sizeof(trouble->err.cause)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    trouble->reason = reason;
    return hf_err_set(&trouble->err, code, "%s", text);
}

int hf_trouble_sys(struct hf_trouble *trouble, int r, const char *format, ...)
{
    char text[sizeof(trouble->err.cause)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    trouble->reason = hf_reason_of_errno(r);
    return hf_err_sys(&trouble->err, r, "%s", text);
}
