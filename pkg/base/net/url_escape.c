/* SPDX-License-Identifier: Apache-2.0 */
#include "base/net/url_escape.h"

#include <string.h>

int hf_url_escape(const char *text, struct hf_buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    int r = 0;

    while (r == 0 && *text != '\0') {
        size_t n = strspn(text, plain);
        r = n > 0 ? hf_buf_add(out, text, n) : hf_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*text);
        text += n > 0 ? n : 1;
    }
    return r;
}
