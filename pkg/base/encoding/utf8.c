/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encoding/utf8.h"

#include <string.h>

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Table 3-7 of the Unicode standard. */
size_t hf_utf8_length(const char *bytes, size_t n)
{
    const unsigned char *b = (const unsigned char *)bytes;

    if (b[0] < 0x80)
        return 1;
    if (b[0] < 0xc2 || b[0] > 0xf4 || n < 2)
        return 0;
    if (b[0] < 0xe0)
        return is_tail(b[1]) ? 2 : 0;
    unsigned char least = b[0] == 0xe0 ? 0xa0 : b[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = b[0] == 0xed ? 0x9f : b[0] == 0xf4 ? 0x8f : 0xbf;
    if (b[1] < least || b[1] > most || n < 3 || !is_tail(b[2]))
        return 0;
    if (b[0] < 0xf0)
        return 3;
    return n >= 4 && is_tail(b[3]) ? 4 : 0;
}

size_t hf_utf8_prefix(const char *bytes, size_t n)
{
    size_t i = 0, step = 1;

    while (i < n && step > 0) {
        step = hf_utf8_length(bytes + i, n - i);
        i += step;
    }
    return i;
}

bool hf_utf8_valid(const char *bytes, size_t n)
{
    return hf_utf8_prefix(bytes, n) == n;
}

void hf_utf8_trim(char *text)
{
    text[hf_utf8_prefix(text, strlen(text))] = '\0';
}

size_t hf_utf8_put(uint32_t point, char bytes[4])
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, point >>= 6)
        bytes[i] = (char)(0x80 | (point & 0x3f));
    bytes[0] = (char)(lead[n] | point);
    return n;
}

static bool is_portable(uint32_t point)
{
    if (point < 0x20)
        return point == '\t' || point == '\n' || point == '\r';
    return !(point >= 0x7f && point <= 0x9f) && point != 0x2028 && point != 0x2029 && point != 0xfeff &&
           (point & 0xfffe) != 0xfffe;
}

uint32_t hf_utf8_unportable(const char *text)
{
    size_t n = strlen(text), length;

    for (size_t i = 0; i < n && (length = hf_utf8_length(text + i, n - i)) != 0; i += length) {
        static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        uint32_t point = (unsigned char)text[i] & masks[length];
        for (size_t k = 1; k < length; k++)
            point = point << 6 | ((unsigned char)text[i + k] & 0x3f);
        if (!is_portable(point))
            return point;
    }
    return 0;
}
