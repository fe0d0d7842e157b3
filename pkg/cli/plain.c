#include "cli/plain.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/asprintf.h"
#include "base/encoding/utf8.h"

/* Returns the code point of the UTF-8 character of `n` bytes at `p`. */
static uint32_t point_of(const unsigned char *p, size_t n)
{
    static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = p[0] & first[n];

    for (size_t i = 1; i < n; i++)
        point = point << 6 | (p[i] & 0x3fu);
    return point;
}

static bool acts_on_terminal(uint32_t point)
{
    bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
    bool line_end = point == 0x2028 || point == 0x2029;
    bool direction = (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0x200e ||
                     point == 0x200f || point == 0x061c;

    return control || line_end || direction;
}

size_t hf_cli_plain_bytes(const char *text, size_t n, char *out)
{
    size_t used = 0, size;

    for (size_t i = 0; i < n; i += size) {
        size = hf_utf8_length(text + i, n - i);
        if (size == 0 || acts_on_terminal(point_of((const unsigned char *)text + i, size))) {
            out[used++] = '?';
            size = HF_MAX(size, (size_t)1);
            continue;
        }
        memmove(out + used, text + i, size);
        used += size;
    }
    return used;
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
