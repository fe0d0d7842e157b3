/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal acts on control characters (C0, DEL, C1; some take the bytes 0x80 to 0x9f for C1), line and paragraph
 * separators, and changes of direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069). */
#include "base/encoding/plain.h"

#include <stdint.h>
#include <string.h>

#include "base/encoding/utf8.h"

/* Returns the code point of the UTF-8 character of `n` bytes at `p`. */
static uint32_t point_of(const char *text, size_t n)
{
    static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *p = (const unsigned char *)text;
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

size_t hf_plain_character(const char *text, size_t n, bool *ret_acts)
{
    size_t size = hf_utf8_length(text, n);

    *ret_acts = size == 0 || acts_on_terminal(point_of(text, size));
    return size > 0 ? size : 1;
}

size_t hf_plain_bytes(const char *text, size_t n, const char *kept, char *out)
{
    size_t used = 0, size;
    bool acts;

    for (size_t i = 0; i < n; i += size) {
        size = hf_plain_character(text + i, n - i, &acts);
        if (acts && (text[i] == '\0' || strchr(kept, text[i]) == NULL)) {
            out[used++] = '?';
            continue;
        }
        memmove(out + used, text + i, size);
        used += size;
    }
    return used;
}

int hf_plain_json(const char *text, size_t n, struct hf_buf *out)
{
    int r = 0;
    size_t size;
    bool acts;

    for (size_t i = 0; r == 0 && i < n; i += size) {
        size = hf_plain_character(text + i, n - i, &acts);
        /* outside of strings, line ends and tabs are no more than blanks */
        if (!acts || (size == 1 && strchr("\n\t", text[i]) != NULL && text[i] != '\0'))
            r = hf_buf_add(out, text + i, size);
        else
            r = hf_buf_addf(out, "\\u%04x", hf_utf8_length(text + i, n - i) > 0 ? point_of(text + i, size) : 0xfffdu);
    }
    return r;
}
