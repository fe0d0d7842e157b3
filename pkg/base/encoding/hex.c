/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encoding/hex.h"

#include <errno.h>
#include <string.h>

const char hf_hex_digits[] = "0123456789abcdef";

const char *hf_hex_encode(const void *bytes, size_t n, char *text)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < n; i++) {
        text[2 * i] = hf_hex_digits[b[i] >> 4];
        text[2 * i + 1] = hf_hex_digits[b[i] & 15];
    }
    text[2 * n] = '\0';
    return text;
}

int hf_hex_decode(const char *text, void *bytes, size_t n)
{
    unsigned char *b = bytes;

    if (strlen(text) != 2 * n)
        return -EINVAL;
    for (size_t i = 0; i < 2 * n; i++)
        if (hf_hex_value(text[i]) < 0)
            return -EINVAL;
    for (size_t i = 0; i < n; i++)
        b[i] = (unsigned char)((unsigned)hf_hex_value(text[2 * i]) << 4 | (unsigned)hf_hex_value(text[2 * i + 1]));
    return 0;
}
