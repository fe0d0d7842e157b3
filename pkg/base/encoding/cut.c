/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encoding/cut.h"

#include <string.h>

void hf_cut_end(char *text, size_t n)
{
    static const char more[] = "...";
    size_t at = n - sizeof(more);

    while (at > n - n / 4 && text[at] != ' ')
        at--;
    if (text[at] != ' ')
        at = n - sizeof(more);
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80) /* within a character */
        at--;
    memcpy(text + at, more, sizeof(more));
}

const char *hf_cut(const char *text, char *out, size_t n)
{
    size_t length = strnlen(text, n);

    memcpy(out, text, length < n ? length + 1 : n);
    if (length == n)
        hf_cut_end(out, n);
    return out;
}
