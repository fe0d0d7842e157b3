/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encoding/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hf_base64_encode(const void *bytes, size_t n, struct hf_buf *out)
{
    const unsigned char *b = bytes;
    int r = hf_buf_reserve(out, (n + 2) / 3 * 4);

    for (size_t i = 0; r == 0 && i < n; i += 3) {
        unsigned group = (unsigned)b[i] << 16;
        if (i + 1 < n)
            group |= (unsigned)b[i + 1] << 8;
        if (i + 2 < n)
            group |= b[i + 2];
        char quad[4] = {base64_alphabet[group >> 18], base64_alphabet[group >> 12 & 63],
                        i + 1 < n ? base64_alphabet[group >> 6 & 63] : '=',
                        i + 2 < n ? base64_alphabet[group & 63] : '='};
        r = hf_buf_add(out, quad, sizeof(quad));
    }
    return r;
}

static int base64_value(char c)
{
    const char *at = c != '\0' ? strchr(base64_alphabet, c) : NULL;

    return at != NULL ? (int)(at - base64_alphabet) : -1;
}

int hf_base64_decode(struct hf_view text, struct hf_buf *out)
{
    if (text.n % 4 != 0)
        return -EINVAL;
    size_t before = out->n;
    int r = hf_buf_reserve(out, text.n / 4 * 3);
    for (size_t i = 0; r == 0 && i < text.n; i += 4) {
        bool last = i + 4 == text.n;
        bool padded = last && text.p[i + 3] == '=';
        unsigned pads = !padded ? 0 : text.p[i + 2] == '=' ? 2 : 1;
        unsigned group = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k >= 4 - pads ? 0 : base64_value(text.p[i + k]);
            if (value < 0)
                r = -EINVAL;
            group = group << 6 | (unsigned)(value & 63);
        }
        if ((pads == 1 && (group & 0xff) != 0) || (pads == 2 && (group & 0xffff) != 0))
            r = -EINVAL;
        unsigned char triple[3] = {(unsigned char)(group >> 16), (unsigned char)(group >> 8), (unsigned char)group};
        if (r == 0)
            r = hf_buf_add(out, triple, 3 - pads);
    }
    if (r < 0)
        hf_buf_cut(out, before);
    return r;
}
