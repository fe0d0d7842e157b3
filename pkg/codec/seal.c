/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/seal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HEX_N = HF_SHA256_HEX - 1, MAX_HEADER = 160 };

int hf_seal_begin(const char *kind, unsigned version, struct hf_buf *out, size_t *ret_body)
{
    int r = hf_buf_addf(out, "holdfast-%s %u %*s\n", kind, version, HEX_N, "");

    if (r == 0)
        *ret_body = out->n;
    return r;
}

void hf_seal_end(struct hf_buf *out, size_t body, char hex[HF_SHA256_HEX])
{
    char own[HF_SHA256_HEX], *to = hex != NULL ? hex : own;

    (void)hf_sha256_hex(out->p + body, out->n - body, to);
    memcpy(out->p + body - 1 - HEX_N, to, HEX_N);
}

int hf_seal_format(const char *kind, unsigned version, struct hf_view body, struct hf_buf *out)
{
    size_t before = out->n, at = 0;
    int r = hf_seal_begin(kind, version, out, &at);

    if (r == 0)
        r = hf_buf_add(out, body.p, body.n);
    if (r == 0)
        hf_seal_end(out, at, NULL);
    else
        hf_buf_cut(out, before);
    return r;
}

int hf_seal_open(struct hf_view text, const char *kind, unsigned version, struct hf_view *ret_body, struct hf_err *err)
{
    struct hf_view body = text, header;
    char magic[MAX_HEADER], hex[HF_SHA256_HEX];
    size_t n;

    (void)snprintf(magic, sizeof(magic), "holdfast-%s ", kind);
    if (!hf_view_starts(text, magic) || !hf_view_split(&body, '\n', &header) || body.p == NULL)
        return hf_err_set(err, EBADMSG, "%s: invalid header line", kind);
    n = (size_t)snprintf(magic, sizeof(magic), "holdfast-%s %u ", kind, version);
    if (!hf_view_starts(text, magic) && header.n > n && header.n < MAX_HEADER)
        return hf_err_set(err, EOPNOTSUPP, "%s: unknown format version", kind);
    if (!hf_view_starts(text, magic) || header.n != n + HEX_N ||
        memcmp(header.p + n, hf_sha256_hex(body.p, body.n, hex), HEX_N) != 0)
        return hf_err_set(err, EBADMSG, "%s: the content does not match its checksum", kind);
    *ret_body = body;
    return 0;
}

bool hf_seal_take(struct hf_view *remainder, const char *name, char *value, size_t n)
{
    struct hf_view line;
    size_t head = strlen(name);

    if (!hf_view_split(remainder, '\n', &line) || !hf_view_starts(line, name) || line.n < head + 1 ||
        line.p[head] != ' ' || line.n - head - 1 >= n || memchr(line.p, '\0', line.n) != NULL)
        return false;
    memcpy(value, line.p + head + 1, line.n - head - 1);
    value[line.n - head - 1] = '\0';
    return true;
}
