/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encoding/hex.h"

#include <errno.h>
#include <string.h>

const char *hf_hex_encode(const void *bytes, size_t n, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = bytes;

    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[b[i] >> 4];
        text[2 * i + 1] = digits[b[i] & 15];
    }
    text[2 * n] = '\0';
    return text;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

int hf_hex_decode(const char *text, void *bytes, size_t n)
{
    unsigned char *b = bytes;

    if (strlen(text) != 2 * n)
        return -EINVAL;
    for (size_t i = 0; i < 2 * n; i++)
        if (hex_value(text[i]) < 0)
            return -EINVAL;
    for (size_t i = 0; i < n; i++)
        b[i] = (unsigned char)((unsigned)hex_value(text[2 * i]) << 4 | (unsigned)hex_value(text[2 * i + 1]));
    return 0;
}
