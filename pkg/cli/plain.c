/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plain.h"

#include <stdarg.h>
#include <string.h>

#include "base/asprintf.h"
#include "base/encoding/plain.h"

size_t hf_cli_plain_bytes(const char *text, size_t n, char *out)
{
    return hf_plain_bytes(text, n, "", out);
}

void hf_cli_plain_text(char *text)
{
    text[hf_cli_plain_bytes(text, strlen(text), text)] = '\0';
}

void hf_cli_print_line(FILE *to, const char *format, ...)
{
    _cleanup_(hf_freep) char *line = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&line, format, args) < 0)
        line = NULL;
    va_end(args);
    if (line != NULL)
        hf_cli_plain_text(line);
    (void)fprintf(to, "%s\n", line != NULL ? line : "out of memory");
}
