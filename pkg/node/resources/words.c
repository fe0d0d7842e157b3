/* SPDX-License-Identifier: Apache-2.0 */
#include "node/resources/words.h"

#include <stdarg.h>
#include <stdio.h>

size_t hf_words_add(char *text, size_t n, size_t at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vsnprintf(text + at, n - at, format, args);
    va_end(args);
    return length < 0 ? at : at + HF_MIN((size_t)length, n - at - 1);
}
