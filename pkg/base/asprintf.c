/* SPDX-License-Identifier: Apache-2.0 */
#include "base/asprintf.h"

#include <stdarg.h>
#include <stdio.h>

char *hf_asprintf(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? NULL : text;
}
